// The members of a JSON object as pieces of its text: for canonical JSON, which has no white space, without decoding it.

internal import Foundation

/// Leafs through an object's members; keys and values are ranges of the object's own bytes. Text with white space
/// between its parts ends the walk early, and `isWhole` stays false.
struct JSONMembers {
  private let bytes: UnsafeRawBufferPointer
  private var at = 1
  /// The walk has come to the closing brace, and nothing follows it.
  private(set) var isWhole = false

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next key, without its quotes, and value, as written.
  mutating func next() -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
    guard bytes.count >= 2, bytes[0] == UInt8(ascii: "{"), !isWhole else { return nil }
    if bytes[at] == UInt8(ascii: "}"), at == 1 {
      isWhole = bytes.count == 2
      return nil
    }
    guard let key = string(at), key < bytes.count, bytes[key] == UInt8(ascii: ":"), let end = value(key + 1),
      end < bytes.count
    else { return nil }
    let member = (slice(at + 1, key - 1), slice(key + 1, end))
    switch bytes[end] {
    case UInt8(ascii: ","): at = end + 1
    case UInt8(ascii: "}") where end + 1 == bytes.count: isWhole = true
    default: return nil
    }
    return member
  }

  private func slice(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[from..<to])
  }

  /// Behind the string that begins here.
  private func string(_ start: Int) -> Int? {
    guard start < bytes.count, bytes[start] == UInt8(ascii: "\""), let base = bytes.baseAddress else {
      return nil
    }
    var index = start + 1
    while index < bytes.count, let quote = memchr(base + index, 0x22, bytes.count - index) {
      index = UnsafeRawPointer(quote) - base
      var first = index
      while bytes[first - 1] == UInt8(ascii: "\\") { first -= 1 }
      if (index - first).isMultiple(of: 2) { return index + 1 }
      index += 1
    }
    return nil
  }

  /// Behind the value that begins here.
  private func value(_ start: Int) -> Int? {
    guard start < bytes.count else { return nil }
    if bytes[start] == UInt8(ascii: "\"") {
      return string(start).flatMap { $0 < bytes.count && (bytes[$0] == 0x2C || bytes[$0] == 0x7D) ? $0 : nil }
    }
    var depth = 0
    var index = start
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        guard let end = string(index) else { return nil }
        index = end - 1
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return index > start ? index : nil }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return index > start ? index : nil
      case 0...0x20: return nil
      default: break
      }
      index += 1
    }
    return nil
  }
}
