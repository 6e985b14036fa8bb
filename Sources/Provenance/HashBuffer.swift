// Bytes that are put together to be hashed, millions of times over: in memory that is used again.

internal import Crypto
internal import Foundation
internal import GRDBSQLite

/// A growing run of bytes without what an array costs per append. Use it from one thread at a time.
final class HashBuffer {
  private var start: UnsafeMutablePointer<UInt8>
  private var capacity = 4096
  private(set) var count = 0

  init() { start = .allocate(capacity: capacity) }

  deinit { start.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// Forgets what is behind the first bytes.
  func cut(to length: Int = 0) { count = min(count, length) }

  @inline(__always) private func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  private func grow(_ more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: start, count: count)
    start.deallocate()
    start = larger
  }

  @inline(__always) func append(_ byte: UInt8) {
    reserve(1)
    start[count] = byte
    count += 1
  }

  func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    reserve(bytes.count)
    memcpy(start + count, source, bytes.count)
    count += bytes.count
  }

  func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(value.magnitude, radix: 10)
  }

  @inline(__always) func append(_ value: UInt64, radix: UInt64) {
    var digits = 1
    var rest = value / radix
    while rest > 0 {
      digits += 1
      rest /= radix
    }
    reserve(digits)
    rest = value
    for place in stride(from: count + digits - 1, through: count, by: -1) {
      start[place] = Self.digit(UInt8(truncatingIfNeeded: rest % radix))
      rest /= radix
    }
    count += digits
  }

  /// Of a hexadecimal number, in lower case.
  @inline(__always) static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &- 10 &+ value
  }

  /// A value of SQLite as `RecordDigest` hashes it.
  func append(valueOf rows: RawRows, _ column: Int32) {
    let found = rows.value(column)
    switch sqlite3_value_type(found) {
    case SQLITE_NULL: append("n;")
    case SQLITE_INTEGER:
      append(UInt8(ascii: "i"))
      append(decimal: sqlite3_value_int64(found))
      append(UInt8(ascii: ";"))
    case SQLITE_FLOAT:
      append(UInt8(ascii: "r"))
      append(sqlite3_value_double(found).bitPattern, radix: 16)
      append(UInt8(ascii: ";"))
    case let type:
      let value = RawRows.bytes(found)
      append(UInt8(ascii: type == SQLITE_TEXT ? "t" : "b"))
      append(UInt64(value.count), radix: 10)
      append(UInt8(ascii: ":"))
      append(value)
      append(UInt8(ascii: ";"))
    }
  }

  var digest: SHA256.Digest {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    return hash.finalize()
  }
}
