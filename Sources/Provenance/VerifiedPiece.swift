// A piece of the ledger that is verified in one walk: events of the chain, and the images, files at the door and slices
// that they announced.

internal import GRDB

/// Which events, and which rows stand beside them. Pieces need not each other: an event names the digest of the one before it.
struct VerifiedPiece: Sendable {
  let events: ClosedRange<Int64>
  /// Row ids. Rows whose event is in another piece are looked up, wherever a boundary lies.
  private(set) var instances = Int64.min..<Int64.max
  private(set) var intake = Int64.min..<Int64.max
  private(set) var slices = Int64.min..<Int64.max

  /// All of the ledger, in pieces of so many events.
  static func all(_ db: Database, last: Int64, size: Int64) throws -> [VerifiedPiece] {
    let firsts = Array(stride(from: 1, through: max(1, last), by: Int(size)))
    var pieces = firsts.map { VerifiedPiece(events: $0...max($0, min(last, $0 + size - 1))) }
    for (table, ids) in [
      ("instances", \VerifiedPiece.instances), ("intake", \.intake), ("slices", \.slices),
    ] {
      for index in pieces.indices.dropFirst() {
        let bound = max(
          pieces[index - 1][keyPath: ids].lowerBound, try first(db, table, pieces[index].events.lowerBound))
        pieces[index - 1][keyPath: ids] = pieces[index - 1][keyPath: ids].lowerBound..<bound
        pieces[index][keyPath: ids] = bound..<Int64.max
      }
    }
    return pieces
  }

  /// The first row whose event is not before this one, if rows lie in the order of their events; any row else.
  private static func first(_ db: Database, _ table: String, _ event: Int64) throws -> Int64 {
    guard let least = try Int64.fetchOne(db, sql: "SELECT min(id) FROM \(table)"),
      let most = try Int64.fetchOne(db, sql: "SELECT max(id) FROM \(table)")
    else { return 0 }
    let statement = try db.cachedStatement(
      sql: "SELECT id, event FROM \(table) WHERE id >= ? ORDER BY id LIMIT 1")
    var (low, high) = (least, most + 1)
    while low < high {
      let middle = low + (high - low) / 2
      guard let row = try Row.fetchOne(statement, arguments: [middle]) else { return high }
      if row[1] as Int64 >= event { high = middle } else { low = (row[0] as Int64) + 1 }
    }
    return low
  }

  /// What walking it found.
  struct Found: Sendable {
    var chain = Verification()
    var walked: [WalkedRows] = []
    var files = IntakeSums()
    var slices = SliceSums()
  }

  /// Holds each event against the chain, each row against its event, and each event against its row.
  func walk(_ db: Database) throws -> Found {
    let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
    var chain = try ChainWalk(db, first: events.lowerBound, through: events.upperBound)
    var instances = try AnnouncedRows<AnnouncedInstances>(db, instances, last: last)
    var intake = try AnnouncedRows<AnnouncedIntake>(db, intake, last: last)
    var slices = try AnnouncedRows<AnnouncedSlices>(db, slices, last: last)
    let rows = try RawRows(
      db,
      sql: """
        SELECT seq, time, kind, subject, payload, prev_hash, hash FROM events
        WHERE seq BETWEEN \(events.lowerBound) AND \(events.upperBound) ORDER BY seq
        """)
    let payload = EventPayload()
    while try rows.next() {
      chain.meet(rows)
      let seq = rows.integer(0)
      let event = AnnouncedEvent(rows, from: 2, payload)
      try instances.meet(seq, event)
      try intake.meet(seq, event)
      try slices.meet(seq, event)
    }
    chain.finish()
    try instances.finish()
    try intake.finish()
    try slices.finish()
    return Found(
      chain: chain.report, walked: [instances.walked, intake.walked, slices.walked], files: intake.table.sums,
      slices: slices.table.sums)
  }
}
