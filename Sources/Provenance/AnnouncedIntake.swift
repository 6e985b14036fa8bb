// What the records of files at the door must say to be what their events announced.

internal import GRDB

/// Files at the door, each with an event of its own.
final class AnnouncedIntake: AnnouncedTable {
  static let name = "intake"
  let rows: RawRows
  let mayComeLate = false
  private let seen: RecordDigest
  private(set) var sums = IntakeSums()

  init(_ db: Database, _ ids: Range<Int64>) throws {
    // As in `SaltedRow.intake`, behind the two that come first.
    rows = try RawRows(
      db,
      sql: """
        SELECT id, event, id, run_id, time, outcome, reason, sentence, original_path, sha256, size, sop_uid, series_uid,
          study_uid, modality, quarantine_path, instance_id FROM intake
        WHERE id >= \(ids.lowerBound) AND id < \(ids.upperBound) ORDER BY id
        """)
    seen = RecordDigest(salt: try SaltedRow.salt(db))
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool {
    kind.equals("instance.accepted") || kind.equals("file.duplicate") || kind.equals("file.skipped")
      || kind.equals("file.rejected")
  }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) {
    report.records += 1
    if !rows.isNull(3) { sums.add(run: rows.integer(3), outcome: rows.bytes(5)) }
    guard let event, isTrue(event) else {
      return report.add(.record, "intake:\(rows.integer(0))", "the row is not what its event says")
    }
  }

  private func isTrue(_ event: AnnouncedEvent) -> Bool {
    guard isOutcome(event.kind), event.payload.says("sha256", rows, 9), event.payload.says("reason", rows, 6)
    else { return false }
    guard let value = event.payload.value("seen") else { return true }
    seen.add(rows, 2..<17)
    seen.endRow()
    return seen.finish(is: value)
  }

  private func isOutcome(_ kind: UnsafeRawBufferPointer) -> Bool {
    let outcome = rows.bytes(5)
    if outcome.equals("accepted") { return kind.equals("instance.accepted") }
    return kind.hasPrefix("file.") && UnsafeRawBufferPointer(rebasing: kind[5...]).equals(outcome)
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) {
    report.add(
      .record, String(decoding: event.subject, as: UTF8.self),
      "event \(seq) announced a file at the door, but its row is gone")
  }
}
