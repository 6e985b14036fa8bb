// The ledger: one SQLite file that is the program's whole state. Opening is here; what it records is in its facets.

internal import Foundation
internal import GRDB
internal import Synchronization

/// Everything Fuseline knows, in one SQLite file: what came in, what was made of it, how, and what happened.
///
/// Each writing method is one transaction that carries its event with it, so a process that is killed leaves
/// either all of a change or nothing. A value may be shared between threads; calls block.
public final class Ledger: Sendable {
  /// The version of `schema.sql` this program writes (`PRAGMA user_version`).
  public static let schemaVersion = 5
  /// `PRAGMA application_id` of a ledger: "FUSE".
  static let applicationID = 0x4655_5345

  public let path: String
  let clock: @Sendable () -> Date
  /// Nil where the ledger was opened for reading.
  private let writer: DatabasePool?
  private let reader: any DatabaseReader
  /// Token of the lease that this process holds; every change is refused once the ledger shows another one.
  let leaseToken = Mutex<String?>(nil)
  private let spent = Mutex(LedgerEffort())
  /// The transaction under way: parts of it join it, and reads see what it has written so far.
  @TaskLocal private static var transactionUnderWay: Transaction?

  init(path: String, clock: @escaping @Sendable () -> Date, writer: DatabasePool?, reader: any DatabaseReader)
  {
    self.path = path
    self.clock = clock
    self.writer = writer
    self.reader = reader
  }

  public var isReadOnly: Bool { writer == nil }

  /// What writing has cost since the ledger was opened.
  public var effort: LedgerEffort { spent.withLock { $0 } }

  /// Several changes as one: all of them are kept, or, when `body` or one of them throws, none.
  ///
  /// Commits wait for the disk, so that a thousand small ones cost seconds; grouped they cost one. Must be
  /// called and finish on one thread: `body` does not suspend.
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try write { _ in try body() }
  }

  /// Closes the file and lets SQLite fold the write-ahead log into it.
  public func close() throws {
    try translating {
      try writer?.close()
      try reader.close()
    }
  }

  // MARK: Access for the facets

  /// One transaction, or a part of the one under way. When a part fails, all of it does.
  func write<Result>(_ body: (Change) throws -> Result) throws -> Result {
    guard let writer else {
      throw LedgerError(.readOnly, subject: path, detail: "the ledger was opened for reading only")
    }
    if let transaction = joined {
      return try translating {
        try writer.unsafeReentrantWrite { db in try transaction.part { try body(change(db)) } }
      }
    }
    let began = LedgerEffort.Moment()
    defer { spent.withLock { $0.add(since: began) } }
    let transaction = Transaction(of: self)
    return try translating {
      try Self.$transactionUnderWay.withValue(transaction) {
        try writer.unsafeReentrantWrite { db in
          var result: Result?
          try db.inTransaction {
            // Whoever is inside a transaction holds SQLite's lock: nobody can have taken the lease since it began.
            try refuseIfLeaseLost(db)
            result = try body(change(db))
            try transaction.refuseIfFailed()
            return .commit
          }
          guard let result else { preconditionFailure("a committed change has a result") }
          return result
        }
      }
    }
  }

  private var joined: Transaction? {
    Self.transactionUnderWay.flatMap { $0.ledger == ObjectIdentifier(self) ? $0 : nil }
  }

  private func change(_ db: Database) -> Change { Change(db: db, date: clock()) }

  /// A consistent view of the ledger; does not wait for a writer.
  func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try translating {
      if joined != nil, let writer { return try writer.unsafeReentrantWrite(body) }
      return try reader.read(body)
    }
  }

  func translating<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DatabaseError { throw LedgerError(error, path: path) }
  }
}

/// The outermost change under way. Its parts have no savepoints of their own: for each, SQLite would keep every page it touches
/// as it was, which costs as much as the change. So a part that failed is not undone alone, whoever catches its error.
private final class Transaction: Sendable {
  let ledger: ObjectIdentifier
  private let failure = Mutex<(any Error)?>(nil)

  init(of ledger: Ledger) { self.ledger = ObjectIdentifier(ledger) }

  func part<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      failure.withLock { $0 = $0 ?? error }
      throw error
    }
  }

  /// - Throws: what the first part that failed threw.
  func refuseIfFailed() throws {
    if let failure = failure.withLock({ $0 }) { throw failure }
  }
}

/// What a writing method works with: the open transaction and its moment.
struct Change {
  let db: Database
  let date: Date
  let now: String

  init(db: Database, date: Date) {
    self.db = db
    self.date = date
    now = Timestamp.text(date)
  }

  /// Runs one statement, prepared once per connection.
  func run(_ sql: String, _ arguments: StatementArguments = []) throws {
    try db.cachedStatement(sql: sql).execute(arguments: arguments)
  }

  /// Runs one INSERT and returns the new row's id.
  func insert(_ sql: String, _ arguments: StatementArguments) throws -> Int64 {
    try run(sql, arguments)
    return db.lastInsertedRowID
  }

  /// The first column of the first row, or nil.
  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
    _ sql: String, _ arguments: StatementArguments = []
  ) throws -> Value? {
    try Value.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
  }

  func row(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
    try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
  }
}
