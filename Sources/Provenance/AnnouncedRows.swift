// The rows of one table that each have an event of their own, met in the order of the events; what a row must say is
// the table's own business.

internal import GRDB

/// What an event says, lent by the statement that reads it.
struct AnnouncedEvent {
  let kind: UnsafeRawBufferPointer
  let subject: UnsafeRawBufferPointer
  let payload: EventPayload

  /// - Parameter rows: at kind, subject and payload, in columns that begin with `first`.
  init(_ rows: RawRows, from first: Int32, _ payload: EventPayload) {
    kind = rows.bytes(first)
    subject = rows.bytes(first + 1)
    self.payload = payload
    payload.begin(rows.bytes(first + 2))
  }

  /// The subject behind its first colon.
  var name: String {
    String(
      decoding: subject.split(separator: UInt8(ascii: ":"), maxSplits: 1).last ?? subject[...], as: UTF8.self)
  }

  func isAbout(_ what: StaticString, _ name: UnsafeRawBufferPointer) -> Bool {
    subject.hasPrefix(what)
      && UnsafeRawBufferPointer(rebasing: subject[what.utf8CodeUnitCount...]).equals(name)
  }
}

/// How the rows of a table are held against their events.
protocol AnnouncedTable: AnyObject {
  /// Whose rows they are, in a sentence.
  static var name: String { get }
  /// `id` and `event` first, in the order of the ids: rows are written with their events, so that it is the events' too.
  var rows: RawRows { get }
  /// Those of the rows that have these ids.
  init(_ db: Database, _ ids: Range<Int64>) throws
  /// Does an event of this kind announce a row?
  func announces(_ kind: UnsafeRawBufferPointer) -> Bool
  /// Holds the row at hand against its event, nil where there is none.
  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws
  /// An event whose row did not come: is it gone?
  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws
  /// All rows have been met.
  func end(_ report: inout Verification) throws
  /// May a row stand behind rows with later events?
  var mayComeLate: Bool { get }
  /// Broken lineage, which comes after the records.
  var lineage: Verification { get }
}

extension AnnouncedTable {
  var lineage: Verification { Verification() }
  func end(_ report: inout Verification) throws {}
}

/// Walks a table beside its events.
struct AnnouncedRows<Table: AnnouncedTable> {
  let table: Table
  private let lookup: RawRows
  private let payload = EventPayload()
  /// The last event there is.
  private let last: Int64
  /// The event of the row at hand; nil behind the last row.
  private var head: Int64?
  /// Events that are still to come and whose rows were met already.
  private var ahead: Set<Int64> = []
  private(set) var walked = WalkedRows()

  /// - Parameter last: the last event of the ledger.
  init(_ db: Database, _ ids: Range<Int64>, last: Int64) throws {
    table = try Table(db, ids)
    self.last = last
    lookup = try RawRows(db, sql: "SELECT kind, subject, payload FROM events WHERE seq = ?")
    try advance()
  }

  private mutating func advance() throws {
    guard try table.rows.next() else {
      head = nil
      return
    }
    let event = table.rows.integer(1)
    head = event
    if event > last, event < walked.beyond?.event ?? .max {
      walked.beyond = (event, "\(Table.name):\(table.rows.integer(0))", last)
    }
  }

  /// The next event: its row should be at hand if it announces one.
  mutating func meet(_ seq: Int64, _ event: AnnouncedEvent) throws {
    defer { if !walked.report.broken.isEmpty { walked.note(seq) } }
    while let head, head < seq { try meetOutOfOrder(late: true) }
    if head == seq {
      try table.check(event, &walked.report)
      try advance()
      while head == seq {
        // Two rows cannot share an event.
        try table.check(nil, &walked.report)
        try advance()
      }
      return
    }
    guard table.announces(event.kind), ahead.remove(seq) == nil else { return }
    // The row is gone, or it is the one at hand and points elsewhere.
    if head != nil { try meetOutOfOrder(late: false) }
    try table.miss(seq, event, &walked.report)
  }

  /// Holds the row at hand against the event it names, wherever that is, and goes to the next one.
  private mutating func meetOutOfOrder(late: Bool) throws {
    guard let seq = head else { return }
    let broken = walked.report.brokenCount
    lookup.restart(seq)
    let isThere = try lookup.next() && (!late || table.mayComeLate)
    try table.check(isThere ? AnnouncedEvent(lookup, from: 0, payload) : nil, &walked.report)
    if walked.report.brokenCount == broken { ahead.insert(seq) }
    try advance()
  }

  /// The rows behind the last event.
  mutating func finish() throws {
    while let head { try meetOutOfOrder(late: head <= last) }
    try table.end(&walked.report)
    walked.note(.max)
    walked.lineage = table.lineage
  }
}

/// What walking a table found.
struct WalkedRows: Sendable {
  var report = Verification()
  var lineage = Verification()
  /// The first event that is not there but that a row refers to, the row, and the last event there is.
  var beyond: (event: Int64, row: String, last: Int64)?
  /// The event at which each of the broken links in `report` came up.
  private var places: [Int64] = []

  /// Broken links that have come up since the last call did so at this event.
  mutating func note(_ seq: Int64) {
    while places.count < report.broken.count { places.append(seq) }
  }

  /// Several tables in one report, in the order of the events.
  static func together(_ parts: [WalkedRows]) -> Verification {
    var report = Verification()
    let links = parts.flatMap { part in zip(part.places, part.report.broken) }
    for link in links.enumerated().sorted(by: { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }) {
      report.add(link.element.1.what, link.element.1.subject, link.element.1.detail)
    }
    for part in parts {
      report.records += part.report.records
      report.brokenCount += part.report.brokenCount - part.report.broken.count
    }
    return report
  }
}
