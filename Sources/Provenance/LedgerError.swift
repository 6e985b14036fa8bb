// Why the ledger refuses, in words an operator can act on. Never a patient's name or a bound SQL value.

internal import GRDB

/// A refusal of the ledger: the file is not usable, or a request contradicts what is recorded.
public struct LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
  public struct Reason: RawRepresentable, Hashable, Sendable, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
  }

  public let reason: Reason
  /// The ledger's path, or the UID or job concerned.
  public let subject: String
  /// What is wrong and what to do, one sentence.
  public let detail: String

  public init(_ reason: Reason, subject: String, detail: String) {
    self.reason = reason
    self.subject = subject
    self.detail = detail
  }

  public var description: String { "\(subject): \(detail) [\(reason.rawValue)]" }
}

extension LedgerError.Reason {
  /// No such file or folder.
  public static let missing = Self(rawValue: "ledger_missing")
  /// The folder does not allow the file to be made.
  public static let cannotCreate = Self(rawValue: "ledger_cannot_create")
  /// The file is something else.
  public static let notALedger = Self(rawValue: "not_a_ledger")
  /// Written by a later version of the program.
  public static let newerSchema = Self(rawValue: "ledger_newer_schema")
  /// Of an earlier version, opened for reading: only a writer brings it up to date.
  public static let olderSchema = Self(rawValue: "ledger_older_schema")
  /// SQLite finds the file damaged.
  public static let damaged = Self(rawValue: "ledger_damaged")
  /// A change was asked of a ledger opened for reading, or the file cannot be written.
  public static let readOnly = Self(rawValue: "ledger_read_only")
  /// No space left on the device.
  public static let diskFull = Self(rawValue: "disk_full")
  /// Another process keeps the file locked.
  public static let busy = Self(rawValue: "ledger_busy")
  /// The file cannot be opened or read, for a reason of the machine.
  public static let unreadable = Self(rawValue: "ledger_unreadable")
  /// Nothing of that name is recorded.
  public static let notFound = Self(rawValue: "not_found")
  /// The request contradicts what is recorded, a change of state that is not allowed for one.
  public static let contradiction = Self(rawValue: "ledger_contradiction")
  /// The lease this process held has been taken over; it must stop writing.
  public static let leaseLost = Self(rawValue: "lease_lost")
  /// A query was not a single reading statement, or SQLite does not understand it.
  public static let query = Self(rawValue: "query_refused")
}

extension LedgerError {
  /// The refusal that a failure of SQLite amounts to. Only SQLite's own message is kept, no bound value.
  init(_ error: DatabaseError, path: String) {
    let message = error.message ?? "no message"
    switch error.resultCode {
    case .SQLITE_NOTADB:
      self.init(
        .notALedger, subject: path, detail: "this is not an SQLite database, choose another ledger path")
    case .SQLITE_CORRUPT:
      self.init(
        .damaged, subject: path,
        detail: "the database is damaged (\(message)), put it aside and restore a backup")
    case .SQLITE_FULL:
      self.init(.diskFull, subject: path, detail: "no space left for the ledger, free some and run again")
    case .SQLITE_READONLY, .SQLITE_PERM:
      self.init(
        .readOnly, subject: path,
        detail: "the ledger or its folder cannot be written (\(message)), check owner and mode")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.busy, subject: path, detail: "another process keeps the ledger locked, try again later")
    case .SQLITE_CONSTRAINT, .SQLITE_ABORT:
      self.init(.contradiction, subject: path, detail: "this contradicts what is recorded (\(message))")
    default:
      self.init(
        .unreadable, subject: path, detail: "SQLite failed with code \(error.resultCode.rawValue): \(message)"
      )
    }
  }
}
