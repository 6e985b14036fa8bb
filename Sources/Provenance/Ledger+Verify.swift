// Proving the ledger whole: the chain, the checkpoints, the rows the events announced, lineage, and the files.

internal import Dispatch
internal import Foundation
internal import GRDB
internal import Synchronization

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
    try verify(known: known, publicKey: publicKey, piece: 250_000, digest: digest)
  }

  /// - Parameter piece: events of the chain that are checked in one go. Each names the digest of the one before it, so that
  ///   pieces can be walked side by side; a ledger of one piece is not worth threads.
  func verify(
    known: [Checkpoint] = [], publicKey: String? = nil, piece: Int64,
    digest: ((RecordedFile) throws -> String?)? = nil
  ) throws -> Verification {
    let last = try read { try Int64.fetchOne($0, sql: "SELECT max(seq) FROM events") ?? 0 }
    let pieces = try read { try VerifiedPiece.all($0, last: last, size: piece) }
    let (found, work) =
      try pieces.count > 1
      ? verifyBeside(pieces)
      : read { db in
        (try pieces.map { try $0.walk(db) }, try Self.verifyFew(db))
      }
    var report = Verification()
    if last == 0 { report.add(.event, "event:1", "the ledger has no events at all") }
    for part in found where last > 0 { report.add(part.chain) }
    for walked in found.flatMap(\.walked) {
      guard let beyond = walked.beyond else { continue }
      report.add(
        .event, "event:\(beyond.last + 1)",
        "the chain ends at event \(beyond.last), but \(beyond.row) refers to event \(beyond.event)")
    }
    return try read { db in
      try Self.verifyTail(db, &report)
      try Self.verifyCheckpoints(db, known: known, publicKey: publicKey, &report)
      report.add(WalkedRows.together(found.flatMap(\.walked)))
      report.add(work)
      try Self.verifySums(db, found, &report)
      for walked in found.flatMap(\.walked) { report.add(walked.lineage) }
      try Self.verifyLineage(db, &report)
      if let digest { try Self.verifyFiles(db, digest, &report) }
      return report
    }
  }

  private static func verifyFew(_ db: Database) throws -> Verification {
    var report = Verification()
    try verifyCatalogue(db, &report)
    try verifyWork(db, &report)
    return report
  }

  private static func verifySums(
    _ db: Database, _ found: [VerifiedPiece.Found], _ report: inout Verification
  ) throws {
    var files = IntakeSums()
    var slices = SliceSums()
    for part in found {
      files.add(part.files)
      slices.add(part.slices)
    }
    try slices.verify(db, &report)
    try files.verify(db, &report)
  }

  /// Works through the pieces on all processors, each on a connection of its own, and beside them through what is in none. Each
  /// sees a moment of the ledger in which rows and events are of one piece; what was written before the first of them, all of
  /// them see.
  private func verifyBeside(_ pieces: [VerifiedPiece]) throws -> ([VerifiedPiece.Found], Verification) {
    let found = Mutex<[Int: Result<VerifiedPiece.Found, any Error>]>([:])
    let work = Mutex<Result<Verification, any Error>>(.success(Verification()))
    let isWorkedOff = DispatchSemaphore(value: 0)
    // Searching waits for the disk more than it computes: it takes no processor's turn.
    Thread {
      let outcome = Result { try self.onConnection { try Self.verifyFew($0) } }
      work.withLock { $0 = outcome }
      isWorkedOff.signal()
    }.start()
    let readAhead = try read { try ReadAhead($0, path: path, pieces: pieces) }
    DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
      readAhead?.begin()
      let outcome = Result { try onConnection { try pieces[index].walk($0) } }
      found.withLock { $0[index] = outcome }
    }
    readAhead?.end()
    isWorkedOff.wait()
    let parts = try found.withLock { try $0.sorted { $0.key < $1.key }.map { try $0.value.get() } }
    return (parts, try work.withLock { try $0.get() })
  }

  private func onConnection<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try translating {
      let queue = try Self.readOnlyDatabase(path)
      defer { try? queue.close() }
      return try queue.read { db in
        try db.execute(sql: "PRAGMA cache_size = -16000")
        return try body(db)
      }
    }
  }

  /// Rows point to the event that announced them: where the end of the chain was cut off, some point past it.
  private static func verifyTail(_ db: Database, _ report: inout Verification) throws {
    let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
    for (table, name) in [("runs", "run"), ("jobs", "job"), ("releases", "release")] {
      let row = try Row.fetchOne(
        db, sql: "SELECT event, rowid FROM \(table) WHERE event > ? ORDER BY event LIMIT 1", arguments: [last]
      )
      guard let row else { continue }
      report.add(
        .event, "event:\(last + 1)",
        "the chain ends at event \(last), but \(name):\(row[1] as Int64) refers to event \(row[0] as Int64)")
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
    // Programs before schema 5 had no event for it.
    let missed = try Row.fetchCursor(
      db,
      sql: """
        WITH signed AS (
          SELECT seq, subject, json_extract(payload, '$.signature') AS signature FROM events
          WHERE kind = 'checkpoint.signed')
        SELECT subject, 'event ' || seq || ' announced it, but its row is gone' AS detail FROM signed
        WHERE signature NOT IN (SELECT lower(hex(signature)) FROM checkpoints)
        UNION ALL SELECT 'checkpoint:' || seq, 'no event announced it' FROM checkpoints
        WHERE lower(hex(signature)) NOT IN (SELECT signature FROM signed) AND seq >= (
          SELECT min(seq) FROM events WHERE kind IN ('ledger.created', 'ledger.migrated')
            AND json_extract(payload, '$.schema') >= 5)
        """)
    while let row = try missed.next() { report.add(.checkpoint, row["subject"], row["detail"]) }
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
