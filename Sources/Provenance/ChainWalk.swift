// The hash chain, held against the events one after another; what events announce is AnnouncedRows'.

internal import Crypto
internal import Foundation
internal import GRDB

/// Checks a piece of the chain, on from the event before it.
struct ChainWalk {
  private let last: Int64
  private let bytes = EventBytes()
  /// The digest of the event before; empty where that is not there.
  private let previous = HashBuffer()
  private var seq: Int64
  private(set) var report = Verification()

  init(_ db: Database, first: Int64, through last: Int64) throws {
    self.last = last
    seq = first - 1
    guard seq > 0 else {
      EventChain.genesis.withUnsafeBytes { previous.append($0) }
      return
    }
    let row = try RawRows(db, sql: "SELECT hash FROM events WHERE seq = \(seq)")
    if try row.next() { previous.append(row.bytes(0)) }
  }

  /// - Parameter rows: at seq, time, kind, subject, payload, prev_hash, hash.
  mutating func meet(_ rows: RawRows) {
    let found = rows.integer(0)
    if found != seq + 1 { addMissing(through: found - 1) }
    bytes.begin()
    bytes.add(number: found)
    for column in Int32(1)..<5 { bytes.add(rows.bytes(column)) }
    let named = rows.bytes(5)
    let follows = named.equals(previous.bytes)
    let hash = bytes.digest(previous: named)
    let recorded = rows.bytes(6)
    if !hash.withUnsafeBytes({ $0.equals(recorded) }) {
      report.add(.event, "event:\(found)", "its content is not what was recorded")
    } else if !follows, found == seq + 1, previous.count > 0 {
      report.add(.event, "event:\(found)", "it does not follow event \(seq): one of the two was replaced")
    }
    seq = found
    previous.cut()
    previous.append(recorded)
    report.events += 1
  }

  mutating func finish() {
    if seq != last { addMissing(through: last) }
  }

  private mutating func addMissing(through last: Int64) {
    let missing = last > seq + 1 ? "events \(seq + 1) to \(last) are" : "event \(seq + 1) is"
    report.add(.event, "event:\(seq + 1)", "\(missing) missing")
  }
}
