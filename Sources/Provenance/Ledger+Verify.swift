// Proving the ledger whole: the chain, the checkpoints, the rows the events announced, lineage, and the files.

internal import Crypto
internal import Foundation
internal import GRDB

extension Ledger {
  /// Checks everything and names every broken link, the first one first.
  /// - Parameters:
  ///   - known: checkpoints kept outside the ledger, which must be found in the chain.
  ///   - publicKey: the key that must have signed every checkpoint; nil accepts any, but one and the same.
  ///   - digest: SHA-256 (lower-case hexadecimal) of a recorded file, nil where it is missing. Without it files
  ///     are not looked at.
  public func verify(
    known: [Checkpoint] = [], publicKey: String? = nil, digest: ((RecordedFile) throws -> String?)? = nil
  ) throws -> Verification {
    try read { db in
      var report = Verification()
      let last = try Self.verifyChain(db, &report)
      try Self.verifyTail(db, last: last, &report)
      try Self.verifyCheckpoints(db, known: known, publicKey: publicKey, &report)
      try Self.verifyRecords(db, &report)
      try Self.verifyLineage(db, &report)
      if let digest { try Self.verifyFiles(db, digest, &report) }
      return report
    }
  }

  /// Walks the chain from the first event; returns the last sequence number.
  static func verifyChain(_ db: Database, _ report: inout Verification) throws -> Int64 {
    var seq: Int64 = 0
    var previous = [UInt8](EventChain.genesis)
    var recorded = previous
    var bytes = EventBytes()
    // As blobs SQLite's own bytes can be hashed; a text would be made a String first.
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT CAST(seq AS BLOB), CAST(time AS BLOB), CAST(kind AS BLOB), CAST(subject AS BLOB), CAST(payload AS BLOB),
          prev_hash, hash, seq FROM events ORDER BY seq
        """)
    while let row = try rows.next() {
      let found: Int64 = row[7]
      if found != seq + 1 {
        let missing = found - seq > 2 ? "events \(seq + 1) to \(found - 1) are" : "event \(seq + 1) is"
        report.add(.event, "event:\(seq + 1)", "\(missing) missing")
      }
      bytes.begin()
      for column in 0..<5 { try row.withBytes(column) { bytes.add($0) } }
      let follows = try row.withBytes(5) { $0.elementsEqual(previous) }
      let hash = try row.withBytes(5) { bytes.digest(previous: $0) }
      try row.withBytes(6) { recorded.replaceSubrange(0..., with: $0) }
      if !hash.withUnsafeBytes({ $0.elementsEqual(recorded) }) {
        report.add(.event, "event:\(found)", "its content is not what was recorded")
      } else if !follows, found == seq + 1 {
        report.add(.event, "event:\(found)", "it does not follow event \(seq): one of the two was replaced")
      }
      seq = found
      swap(&previous, &recorded)
      report.events += 1
    }
    if seq == 0 { report.add(.event, "event:1", "the ledger has no events at all") }
    return seq
  }

  /// Rows point to the event that announced them: where the end of the chain was cut off, some point past it.
  private static func verifyTail(_ db: Database, last: Int64, _ report: inout Verification) throws {
    for (table, name) in [
      ("runs", "run"), ("instances", "instance"), ("intake", "intake"), ("jobs", "job"),
      ("slices", "slice"),
    ] {
      let row = try Row.fetchOne(
        db, sql: "SELECT id, event FROM \(table) WHERE event > ? ORDER BY event LIMIT 1", arguments: [last])
      guard let row else { continue }
      report.add(
        .event, "event:\(last + 1)",
        "the chain ends at event \(last), but \(name):\(row["id"] as Int64) refers to event \(row["event"] as Int64)"
      )
    }
  }

  private static func verifyCheckpoints(
    _ db: Database, known: [Checkpoint], publicKey: String?, _ report: inout Verification
  ) throws {
    let uuid = try String.fetchOne(db, sql: "SELECT uuid FROM ledger")
    let kept = try checkpoints(db)
    let key = publicKey ?? (known + kept).first?.publicKey
    for checkpoint in known + kept {
      report.checkpoints += 1
      let subject = "checkpoint:\(checkpoint.seq)"
      if checkpoint.ledger != uuid { report.add(.checkpoint, subject, "it is one of another ledger") }
      if checkpoint.publicKey != key { report.add(.checkpoint, subject, "it is signed with another key") }
      if !checkpoint.isSigned { report.add(.checkpoint, subject, "its signature is wrong") }
      let hash = try Data.fetchOne(
        db.cachedStatement(sql: "SELECT hash FROM events WHERE seq = ?"), arguments: [checkpoint.seq])
      if hash.map({ hex($0) }) != checkpoint.hash {
        let detail = hash == nil ? "is missing" : "has another digest now"
        report.add(.checkpoint, subject, "event \(checkpoint.seq), signed \(checkpoint.time), \(detail)")
      }
    }
  }

  private static func verifyFiles(
    _ db: Database, _ digest: (RecordedFile) throws -> String?, _ report: inout Verification
  ) throws {
    func check(_ what: BrokenLink.What, _ row: Row, _ file: RecordedFile) throws {
      let found = try digest(file)
      guard found != row["sha256"] as String else { return }
      report.add(
        what, row["sop_uid"], found == nil ? "its file is missing" : "its file has other bytes than recorded")
    }
    let outputs = try Row.fetchCursor(db, sql: "SELECT sop_uid, path, sha256 FROM outputs ORDER BY id")
    while let row = try outputs.next() {
      try check(.output, row, .output(path: row["path"]))
      report.outputs += 1
    }
    let inputs = try Row.fetchCursor(
      db,
      sql: """
        SELECT i.sop_uid, i.path, i.sha256, e.kind IS 'instance.released' AND e.subject = 'instance:' || i.sop_uid
          AS released
        FROM instances i LEFT JOIN releases r ON r.instance_id = i.id LEFT JOIN events e ON e.seq = r.event ORDER BY i.id
        """)
    while let row = try inputs.next() {
      // Let go by retention: its file may be gone, but nothing else may lie in its place.
      if row["released"] as Bool? == true, try digest(.input(path: row["path"])) == nil {
        report.released += 1
        continue
      }
      try check(.input, row, .input(path: row["path"]))
      report.inputs += 1
    }
  }
}

extension Row {
  /// The bytes of a blob where SQLite has them; none for NULL.
  fileprivate func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) throws
    -> Result
  {
    try withUnsafeData(atIndex: column) { data in
      guard let data else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
      return try data.withUnsafeBytes(body)
    }
  }
}
