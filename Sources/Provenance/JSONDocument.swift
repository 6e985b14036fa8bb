// One JSON document kept as text: the ledger stores and returns it without looking into it.

internal import Foundation

/// A JSON document. It is stored as it came and appears in other JSON as the value it denotes, not as a string.
public struct JSONDocument: Hashable, Sendable {
  public let text: String

  /// Keys sorted, so that equal values give equal text.
  public init(encoding value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    text = String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// A document that is known to be JSON, as the ledger's columns are by their check.
  init(text: String) { self.text = text }

  /// The value it denotes.
  public var value: JSONValue {
    get throws { try JSONValue(parsing: text) ?? decode(JSONValue.self) }
  }

  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

extension JSONDocument: Codable {
  public init(from decoder: any Decoder) throws {
    text = try JSONValue(from: decoder).canonicalText
  }

  public func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder)
  }
}
