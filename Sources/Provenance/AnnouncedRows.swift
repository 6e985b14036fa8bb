// The rows of one table that each have an event of their own, met in the order of the events; what a row must say is
// the table's own business.

internal import GRDB

/// What an event says, lent by the statement that reads it.
struct AnnouncedEvent {
  let kind: UnsafeRawBufferPointer
  let subject: UnsafeRawBufferPointer
  let payload: EventPayload

  /// - Parameter rows: at kind, subject and payload, in columns that begin with `first`.
  init(_ rows: RawRows, from first: Int32) {
    kind = rows.bytes(first)
    subject = rows.bytes(first + 1)
    payload = EventPayload(bytes: rows.bytes(first + 2))
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
protocol AnnouncedTable {
  /// `id` and `event` first, in the order of the ids: rows are written with their events, so that it is the events' too.
  var rows: RawRows { get }
  /// Does an event of this kind announce a row?
  func announces(_ kind: UnsafeRawBufferPointer) -> Bool
  /// Holds the row at hand against its event, nil where there is none.
  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws
  /// An event whose row did not come: is it gone?
  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws
  /// May a row stand behind rows with later events?
  var mayComeLate: Bool { get }
}

/// Walks a table beside the events.
struct AnnouncedRows {
  private let table: any AnnouncedTable
  private let lookup: RawRows
  /// The last event there is.
  private let last: Int64
  /// The event of the row at hand; nil behind the last row.
  private var head: Int64?
  /// Events that are still to come and whose rows were met already.
  private var ahead: Set<Int64> = []
  /// The first event that is not there but that a row refers to, and the row.
  private(set) var beyond: (event: Int64, row: Int64)?

  init(_ table: any AnnouncedTable, _ db: Database, last: Int64) throws {
    self.table = table
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
    if event > last, event < beyond?.event ?? .max { beyond = (event, table.rows.integer(0)) }
  }

  /// The next event: its row should be at hand if it announces one.
  mutating func meet(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws {
    while let head, head < seq { try meetOutOfOrder(late: true, &report) }
    if head == seq {
      try table.check(event, &report)
      try advance()
      while head == seq {
        // Two rows cannot share an event.
        try table.check(nil, &report)
        try advance()
      }
      return
    }
    guard table.announces(event.kind), ahead.remove(seq) == nil else { return }
    // The row is gone, or it is the one at hand and points elsewhere.
    if head != nil { try meetOutOfOrder(late: false, &report) }
    try table.miss(seq, event, &report)
  }

  /// Holds the row at hand against the event it names, wherever that is, and goes to the next one.
  private mutating func meetOutOfOrder(late: Bool, _ report: inout Verification) throws {
    guard let seq = head else { return }
    let broken = report.brokenCount
    lookup.restart(seq)
    let isThere = try lookup.next() && (!late || table.mayComeLate)
    try table.check(isThere ? AnnouncedEvent(lookup, from: 0) : nil, &report)
    if report.brokenCount == broken { ahead.insert(seq) }
    try advance()
  }

  /// The rows behind the last event.
  mutating func finish(_ report: inout Verification) throws {
    while let head { try meetOutOfOrder(late: head <= last, &report) }
  }
}
