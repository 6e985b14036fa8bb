// The hash chain over events: which bytes are hashed, and how an event is appended. Reading it back is audit.

internal import Crypto
internal import Foundation
internal import GRDB

/// The digest of one event, over its content and the digest of the event before it.
///
/// SHA-256 of `fuseline-event-1\n`, then the fields `seq` (decimal), `time`, `kind`, `subject`, `payload`, each as
/// its length in UTF-8 bytes, a colon, the bytes and a comma, then the 32 bytes of the previous hash (zeros for
/// the first event).
enum EventChain {
  static let genesis = Data(count: 32)

  static func hash(
    seq: Int64, time: String, kind: String, subject: String, payload: String, previous: Data
  ) -> Data {
    let bytes = EventBytes()
    bytes.begin()
    for field in [String(seq), time, kind, subject, payload] {
      Array(field.utf8).withUnsafeBytes { bytes.add($0) }
    }
    return Data(previous.withUnsafeBytes { bytes.digest(previous: $0) })
  }
}

/// The bytes that are hashed of one event after another, in a buffer that is used again.
struct EventBytes {
  private let bytes = HashBuffer()

  func begin() {
    bytes.cut()
    bytes.append("fuseline-event-1\n")
  }

  func add(_ field: UnsafeRawBufferPointer) {
    bytes.append(UInt64(field.count), radix: 10)
    bytes.append(UInt8(ascii: ":"))
    bytes.append(field)
    bytes.append(UInt8(ascii: ","))
  }

  /// A number, as the field of its decimal digits.
  func add(number: Int64) {
    var digits = number < 0 ? 2 : 1
    var rest = number / 10
    while rest != 0 {
      digits += 1
      rest /= 10
    }
    bytes.append(UInt64(digits), radix: 10)
    bytes.append(UInt8(ascii: ":"))
    bytes.append(decimal: number)
    bytes.append(UInt8(ascii: ","))
  }

  func digest(previous: UnsafeRawBufferPointer) -> SHA256.Digest {
    bytes.append(previous)
    return bytes.digest
  }
}

extension Change {
  /// Appends one event; returns its sequence number. Payloads carry UIDs, counts and codes, never free text
  /// from a file and never a path of the drop folder: both can name a person.
  @discardableResult
  func append(_ kind: String, subject: String, _ payload: [String: JSONValue]) throws -> Int64 {
    let last = try row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
    let seq: Int64 = (last?["seq"] ?? 0) + 1
    let previous: Data = last?["hash"] ?? EventChain.genesis
    let text = JSONValue.object(payload.filter { $0.value != .null }).canonicalText
    let hash = EventChain.hash(
      seq: seq, time: now, kind: kind, subject: subject, payload: text, previous: previous)
    try run(
      "INSERT INTO events (seq, time, kind, subject, payload, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [seq, now, kind, subject, text, previous, hash])
    return seq
  }
}
