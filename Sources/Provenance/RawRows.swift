// Rows of a statement as SQLite holds them, for going through millions: bytes are lent until the next step, never copied.

internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// A cursor over raw columns. Use it on the database's own queue, and only while the statement is not used elsewhere.
final class RawRows {
  private let statement: Statement
  private let raw: OpaquePointer

  /// Begins with the first row on the first `next`.
  init(_ statement: Statement) {
    self.statement = statement
    raw = statement.sqliteStatement
    sqlite3_reset(raw)
  }

  convenience init(_ db: Database, sql: String) throws {
    self.init(try db.makeStatement(sql: sql))
  }

  deinit { sqlite3_reset(raw) }

  /// Starts again with another first argument.
  func restart(_ argument: Int64) {
    sqlite3_reset(raw)
    sqlite3_bind_int64(raw, 1, argument)
  }

  /// The same, for a text, which is bound as the blob of its bytes.
  func restart(_ argument: String) {
    sqlite3_reset(raw)
    Array(argument.utf8).withUnsafeBytes {
      // SQLITE_TRANSIENT: SQLite takes a copy.
      _ = sqlite3_bind_blob64(
        raw, 1, $0.baseAddress, UInt64($0.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }
  }

  /// Goes to the next row; false behind the last one.
  func next() throws -> Bool {
    switch sqlite3_step(raw) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(raw)
      return false
    case let code:
      let message = String(cString: sqlite3_errmsg(sqlite3_db_handle(raw)))
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
    }
  }

  var columns: Int32 { sqlite3_column_count(raw) }

  /// A column's value as it stands in the statement: a connection is used by one thread at a time, so that it need not be
  /// locked for each look at it.
  func value(_ column: Int32) -> OpaquePointer { sqlite3_column_value(raw, column) }

  func type(_ column: Int32) -> Int32 { sqlite3_value_type(value(column)) }
  func isNull(_ column: Int32) -> Bool { type(column) == SQLITE_NULL }
  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }
  func real(_ column: Int32) -> Double { sqlite3_column_double(raw, column) }

  /// A blob's bytes, or a text's in UTF-8; none for NULL.
  func bytes(_ column: Int32) -> UnsafeRawBufferPointer { Self.bytes(value(column)) }

  static func bytes(_ value: OpaquePointer) -> UnsafeRawBufferPointer {
    // The pointer first: it may convert the value, and the length is that of what it converted to.
    let start = sqlite3_value_blob(value)
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
  }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }
}

extension UnsafeRawBufferPointer {
  func equals(_ text: StaticString) -> Bool {
    equals(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  func hasPrefix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount
      && UnsafeRawBufferPointer(rebasing: self[..<text.utf8CodeUnitCount]).equals(text)
  }

  /// The same bytes?
  func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count, let start = baseAddress, let end = other.baseAddress else {
      return isEmpty && other.isEmpty
    }
    return memcmp(start, end, count) == 0
  }
}
