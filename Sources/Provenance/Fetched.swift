// Rows into Decodable values by column name, without GRDB showing in this module's public types.

internal import GRDB

/// A value decoded from a row whose columns are named as its coding keys.
struct Fetched<Value: Decodable>: Decodable, FetchableRecord {
  let value: Value

  init(from decoder: any Decoder) throws {
    value = try Value(from: decoder)
  }

  static func all(_ db: Database, sql: String, arguments: StatementArguments = []) throws -> [Value] {
    try fetchAll(db, sql: sql, arguments: arguments).map(\.value)
  }

  static func one(_ db: Database, sql: String, arguments: StatementArguments = []) throws -> Value? {
    try fetchOne(db, sql: sql, arguments: arguments)?.value
  }

  static func all(_ statement: Statement, arguments: StatementArguments = []) throws -> [Value] {
    try fetchAll(statement, arguments: arguments).map(\.value)
  }
}
