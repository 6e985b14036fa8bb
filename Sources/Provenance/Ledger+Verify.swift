// Proving the ledger whole: the chain, the checkpoints, the rows the events announced, lineage, and the files.

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
    // The chain on a thread of its own. Both see a moment of the ledger in which rows and events are of one piece; the
    // chain's is not the earlier one.
    try read { db in
      let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
      let chain = Beside { try Self.chainAndTotals(self) }
      defer { chain.wait() }
      let walked = try Self.walkRecords(db)
      var work = Verification()
      try Self.verifyWork(db, &work)
      var (report, totals) = try chain.value()
      try Self.verifyTail(db, last: last, walked, &report)
      try Self.verifyCheckpoints(db, known: known, publicKey: publicKey, &report)
      for part in [walked.records, work, totals, walked.lineage] { report.add(part) }
      try Self.verifyLineage(db, &report)
      if let digest { try Self.verifyFiles(db, digest, &report) }
      return report
    }
  }

  /// On a connection of its own, so that it can be worked through beside another one.
  private static func chainAndTotals(_ ledger: Ledger) throws -> (Verification, Verification) {
    try ledger.translating {
      let queue = try readOnlyDatabase(ledger.path)
      defer { try? queue.close() }
      return try queue.read { db in
        var chain = Verification()
        var totals = Verification()
        _ = try verifyChain(db, &chain)
        try verifyTotals(db, &totals)
        return (chain, totals)
      }
    }
  }

  /// Rows point to the event that announced them: where the end of the chain was cut off, some point past it.
  private static func verifyTail(
    _ db: Database, last: Int64, _ walked: Walked, _ report: inout Verification
  ) throws {
    var beyond = walked.beyond
    for (table, name) in [("runs", "run"), ("jobs", "job")] {
      let row = try Row.fetchOne(
        db, sql: "SELECT event, id FROM \(table) WHERE event > ? ORDER BY event LIMIT 1", arguments: [last])
      if let row { beyond[name] = (row[0], row[1]) }
    }
    for (name, found) in beyond.sorted(by: { $0.value.event < $1.value.event }) {
      report.add(
        .event, "event:\(last + 1)",
        "the chain ends at event \(last), but \(name):\(found.row) refers to event \(found.event)")
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
    let registrations = try Row.fetchCursor(
      db,
      sql: """
        SELECT registration_json ->> '$.output.sop' AS sop_uid, registration_json ->> '$.output.path' AS path,
          registration_json ->> '$.output.sha256' AS sha256
        FROM jobs WHERE registration_json ->> '$.output.path' IS NOT NULL ORDER BY id
        """)
    while let row = try registrations.next() {
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
