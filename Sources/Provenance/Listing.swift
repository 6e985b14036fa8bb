// Rows of named values on their way to a terminal, a CSV file or JSON. What they mean is not known here.

internal import Foundation

/// A listing: column names and rows of values, one value per column.
public struct Listing: Codable, Hashable, Sendable {
  public var columns: [String]
  public var rows: [[JSONValue]]
  /// There were more rows than were asked for.
  public var truncated: Bool

  public init(columns: [String], rows: [[JSONValue]], truncated: Bool = false) {
    self.columns = columns
    self.rows = rows
    self.truncated = truncated
  }

  /// The named members of each value's JSON, in this order.
  public init(_ values: [some Encodable], columns: [String]) throws {
    let rows = try values.map { value in
      guard case .object(let members) = try JSONValue(encoding: value) else { return [JSONValue]() }
      return columns.map { members[$0] ?? .null }
    }
    self.init(columns: columns, rows: rows)
  }

  /// Comma-separated values as in RFC 4180: a header line, CR LF, quotes where needed; null is an empty field.
  public var csv: String {
    columns.map(Self.quoted).joined(separator: ",") + "\r\n" + csvRows
  }

  /// The same without the header line.
  var csvRows: String {
    rows.map { $0.map { Self.quoted(Self.plain($0)) }.joined(separator: ",") + "\r\n" }.joined()
  }

  /// A value as text without JSON's quotes; structured values stay JSON.
  static func plain(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .string(let text): text
    default: value.canonicalText
    }
  }

  private static func quoted(_ field: String) -> String {
    let special = field.unicodeScalars.contains { $0 == "\"" || $0 == "," || $0 == "\r" || $0 == "\n" }
    return special ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }
}
