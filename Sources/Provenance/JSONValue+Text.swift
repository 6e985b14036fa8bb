// JSON text read into values and written for people; the canonical text that is hashed is JSONValue's own.

internal import Foundation

extension JSONValue {
  /// Reads one JSON document; nil for anything else.
  init?(parsing text: String) {
    var text = text
    let value = text.withUTF8 { bytes -> JSONValue? in
      var parser = JSONParser(bytes: UnsafeRawBufferPointer(bytes))
      guard let value = parser.value(depth: 0) else { return nil }
      parser.skipSpace()
      return parser.at == bytes.count ? value : nil
    }
    guard let value else { return nil }
    self = value
  }

  /// Indented, with sorted keys.
  public var prettyText: String {
    var text = ""
    writePretty(to: &text, indent: "")
    return text
  }

  private func writePretty(to text: inout String, indent: String) {
    let inner = indent + "  "
    switch self {
    case .array(let values) where !values.isEmpty:
      text += "[\n"
      for (index, value) in values.enumerated() {
        text += index > 0 ? ",\n" + inner : inner
        value.writePretty(to: &text, indent: inner)
      }
      text += "\n" + indent + "]"
    case .object(let members) where !members.isEmpty:
      text += "{\n"
      for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        text += index > 0 ? ",\n" + inner : inner
        JSONValue.string(member.key).write(to: &text)
        text += " : "
        member.value.writePretty(to: &text, indent: inner)
      }
      text += "\n" + indent + "}"
    default: write(to: &text)
    }
  }
}

/// RFC 8259, from UTF-8.
private struct JSONParser {
  /// Deeper than anything that is written here; keeps the stack from running out.
  private static let deepest = 200

  let bytes: UnsafeRawBufferPointer
  private(set) var at = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { at += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    skipSpace()
    guard let next, next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    guard UnsafeRawBufferPointer(rebasing: bytes[at...]).hasPrefix(word) else { return false }
    at += word.utf8CodeUnitCount
    return true
  }

  mutating func value(depth: Int) -> JSONValue? {
    skipSpace()
    guard depth < Self.deepest, let first = next else { return nil }
    switch first {
    case UInt8(ascii: "{"): return object(depth: depth)
    case UInt8(ascii: "["): return array(depth: depth)
    case UInt8(ascii: "\""): return string().map(JSONValue.string)
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object(depth: Int) -> JSONValue? {
    at += 1
    var members: [String: JSONValue] = [:]
    if take("}" as Character) { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\""), let key = string(), take(":" as Character),
        let member = value(depth: depth + 1)
      else { return nil }
      members[key] = member
    } while take("," as Character)
    return take("}" as Character) ? .object(members) : nil
  }

  private mutating func array(depth: Int) -> JSONValue? {
    at += 1
    var items: [JSONValue] = []
    if take("]" as Character) { return .array(items) }
    repeat {
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
    } while take("," as Character)
    return take("]" as Character) ? .array(items) : nil
  }

  private mutating func number() -> JSONValue? {
    let start = at
    while let byte = next, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { at += 1 }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    return Int64(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.number)
  }

  private mutating func string() -> String? {
    let start = at + 1
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      // What has an escape in it is left to Foundation.
      if bytes[end] == UInt8(ascii: "\\") { return escapedString() }
      end += 1
    }
    guard end < bytes.count else { return nil }
    at = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func escapedString() -> String? {
    let start = at
    at += 1
    while let byte = next, byte != UInt8(ascii: "\"") { at += byte == UInt8(ascii: "\\") ? 2 : 1 }
    guard next != nil else { return nil }
    at += 1
    return try? JSONDecoder().decode(String.self, from: Data(bytes[start..<at]))
  }
}
