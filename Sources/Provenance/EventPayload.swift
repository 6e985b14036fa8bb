// What an event says, member by member, out of its canonical JSON; decoding values into types is not its business.

internal import Foundation

/// The payload of one event after another: its members are found once, when the first of them is asked for.
final class EventPayload {
  private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private var members: [(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = []
  private var isRead = true

  /// The bytes are lent until the next call.
  func begin(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    isRead = false
  }

  /// The value under a key, as written; nil where there is none or it is `null`.
  func value(_ key: StaticString) -> UnsafeRawBufferPointer? {
    if !isRead { read() }
    for member in members where member.key.equals(key) {
      return member.value.equals("null") ? nil : member.value
    }
    return nil
  }

  private func read() {
    members.removeAll(keepingCapacity: true)
    var found = JSONMembers(bytes)
    while let member = found.next() { members.append(member) }
    isRead = true
  }

  /// Is the member this text? NULL is what a member that is not there says.
  func says(_ key: StaticString, _ rows: RawRows, _ column: Int32) -> Bool {
    guard let value = value(key) else { return rows.isNull(column) }
    guard !rows.isNull(column) else { return false }
    return Self.is(value, rows.bytes(column))
  }

  func says(_ key: StaticString, _ text: UnsafeRawBufferPointer) -> Bool {
    value(key).map { Self.is($0, text) } ?? false
  }

  func says(_ key: StaticString, number: Int64) -> Bool {
    guard let value = value(key), value.count < 20 else { return false }
    return Int64(String(decoding: value, as: UTF8.self)) == number
  }

  /// Does the member, where there is one, say the digest that is at hand? Early programs did not say all digests.
  func says(_ key: StaticString, _ digest: RecordDigest) -> Bool {
    value(key).map { digest.finish(is: $0) } ?? true
  }

  /// A string with an escape in it is decoded.
  private static func `is`(_ value: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer) -> Bool {
    guard value.first == UInt8(ascii: "\""), value.count >= 2 else { return value.equals(text) }
    let inner = UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)])
    guard let start = inner.baseAddress, memchr(start, 0x5C, inner.count) != nil else {
      return inner.equals(text)
    }
    let decoded = try? JSONDecoder().decode(String.self, from: Data(value))
    return decoded == String(decoding: text, as: UTF8.self)
  }
}
