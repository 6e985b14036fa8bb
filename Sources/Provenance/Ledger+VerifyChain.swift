// The hash chain, walked from the first event to the last; what the events announced is RecordWalk's.

internal import Crypto
internal import GRDB

extension Ledger {
  /// Walks the chain from the first event; returns the last sequence number.
  static func verifyChain(_ db: Database, _ report: inout Verification) throws -> Int64 {
    var seq: Int64 = 0
    var previous = [UInt8](EventChain.genesis)
    var bytes = EventBytes()
    let rows = try RawRows(
      db, sql: "SELECT seq, time, kind, subject, payload, prev_hash, hash FROM events ORDER BY seq")
    while try rows.next() {
      let found = rows.integer(0)
      if found != seq + 1 {
        let missing = found - seq > 2 ? "events \(seq + 1) to \(found - 1) are" : "event \(seq + 1) is"
        report.add(.event, "event:\(seq + 1)", "\(missing) missing")
      }
      bytes.begin()
      bytes.add(number: found)
      for column in Int32(1)..<5 { bytes.add(rows.bytes(column)) }
      let follows = previous.withUnsafeBytes { rows.bytes(5).equals($0) }
      let hash = bytes.digest(previous: rows.bytes(5))
      let recorded = rows.bytes(6)
      if !hash.withUnsafeBytes({ $0.equals(recorded) }) {
        report.add(.event, "event:\(found)", "its content is not what was recorded")
      } else if !follows, found == seq + 1 {
        report.add(.event, "event:\(found)", "it does not follow event \(seq): one of the two was replaced")
      }
      seq = found
      previous.replaceSubrange(0..., with: recorded)
      report.events += 1
    }
    if seq == 0 { report.add(.event, "event:1", "the ledger has no events at all") }
    return seq
  }
}
