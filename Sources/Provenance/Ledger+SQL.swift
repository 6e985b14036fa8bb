// Free questions in SQL, on a connection that cannot change anything.

internal import Foundation
internal import GRDB

extension Ledger {
  /// Answers one SELECT. The connection is opened read-only with `query_only` on; anything but a single reading
  /// statement (PRAGMA, ATTACH, several statements) is refused before it runs.
  /// - Parameter limit: rows to return at most; `truncated` says whether there were more.
  public func sql(_ query: String, limit: Int = 10_000) throws -> Listing {
    let first = Self.firstKeyword(query)
    guard ["SELECT", "WITH", "VALUES", "EXPLAIN"].contains(first) else {
      throw LedgerError(
        .query, subject: "sql", detail: "only SELECT, WITH, VALUES and EXPLAIN are answered, not \(first)")
    }
    do {
      let queue = try Self.readOnlyDatabase(path)
      defer { try? queue.close() }
      return try queue.read { db in
        try db.execute(sql: "PRAGMA query_only = ON")
        return try Self.answer(db, query: query, limit: limit)
      }
    } catch let error as DatabaseError {
      if error.resultCode == .SQLITE_MISUSE {
        throw LedgerError(.query, subject: "sql", detail: "one statement at a time is answered")
      }
      throw LedgerError(
        .query, subject: "sql", detail: error.message ?? "SQLite does not understand the query")
    }
  }

  private static func answer(_ db: Database, query: String, limit: Int) throws -> Listing {
    let statement = try db.makeStatement(sql: query)
    guard statement.isReadonly else {
      throw LedgerError(.query, subject: "sql", detail: "the statement would change the ledger")
    }
    let cursor = try Row.fetchCursor(statement)
    var rows: [[JSONValue]] = []
    var truncated = false
    while let row = try cursor.next() {
      if rows.count == limit {
        truncated = true
        break
      }
      rows.append(row.databaseValues.map(jsonValue))
    }
    return Listing(columns: statement.columnNames, rows: rows, truncated: truncated)
  }

  private static func jsonValue(_ value: DatabaseValue) -> JSONValue {
    switch value.storage {
    case .null: .null
    case .int64(let integer): .integer(integer)
    case .double(let number): .number(number)
    case .string(let text): .string(text)
    case .blob(let data): .string(hex(data))
    }
  }

  /// The first word after white space and comments, in capitals.
  private static func firstKeyword(_ query: String) -> String {
    var rest = Substring(query)
    while true {
      rest = rest.drop { $0.isWhitespace }
      if rest.hasPrefix("--") {
        rest = rest.drop { !$0.isNewline }
      } else if rest.hasPrefix("/*"), let end = rest.range(of: "*/") {
        rest = rest[end.upperBound...]
      } else {
        return rest.prefix { $0.isLetter }.uppercased()
      }
    }
  }
}
