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
  fileprivate static let header = Array("fuseline-event-1\n".utf8)

  static func hash(
    seq: Int64, time: String, kind: String, subject: String, payload: String, previous: Data
  ) -> Data {
    var bytes = EventBytes()
    for field in [String(seq), time, kind, subject, payload] { bytes.add(Array(field.utf8)) }
    return Data(bytes.digest(previous: Array(previous)))
  }
}

/// The bytes that are hashed of one event after another, in a buffer that is used again.
struct EventBytes {
  private var bytes = EventChain.header

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: EventChain.header)
  }

  mutating func add(_ field: some Collection<UInt8>) {
    bytes.append(decimal: Int64(field.count))
    bytes.append(UInt8(ascii: ":"))
    bytes.append(contentsOf: field)
    bytes.append(UInt8(ascii: ","))
  }

  /// A number, as the field of its decimal digits.
  mutating func add(number: Int64) {
    var digits: [UInt8] = []
    digits.append(decimal: number)
    add(digits)
  }

  mutating func digest(previous: some Collection<UInt8>) -> SHA256.Digest {
    bytes.append(contentsOf: previous)
    return SHA256.hash(data: bytes)
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
