// What images, files at the door and slices must say to be what their events announced.

internal import GRDB

/// Images in the store: digest, size and series by value, everything else by the digest of the row.
final class AnnouncedInstances: AnnouncedTable {
  let rows: RawRows
  let mayComeLate = true
  private let db: Database
  private let series: RawRows
  private let named: RawRows
  /// Rows of one series follow each other.
  private var seriesID: Int64 = 0
  private var seriesUID: [UInt8] = []

  init(_ db: Database) throws {
    self.db = db
    rows = try RawRows(
      db, sql: "SELECT id, event, sop_uid, sha256, size, series_id FROM instances ORDER BY id")
    series = try RawRows(db, sql: "SELECT uid FROM series WHERE id = ?")
    named = try RawRows(db, sql: "SELECT 1 FROM instances WHERE sop_uid = CAST(? AS TEXT)")
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool { kind.equals("instance.accepted") }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws {
    report.records += 1
    guard let event, try isTrue(event) else {
      return report.add(.record, rows.text(2), "the instance's row is not what its event says")
    }
  }

  private func isTrue(_ event: AnnouncedEvent) throws -> Bool {
    guard announces(event.kind), event.isAbout("instance:", rows.bytes(2)),
      event.payload.says("sha256", rows, 3), event.payload.says("size", rows, 4)
    else { return false }
    try findSeries(rows.integer(5))
    guard seriesUID.withUnsafeBytes({ event.payload.says("series", $0) }) else { return false }
    // Early programs announced no digest of the row.
    guard let record = event.payload.value("record") else { return true }
    let digest = try RecordDigest.digest(db, [RecordDigest.instanceSQL], id: rows.integer(0))
    return record.elementsEqual("\"\(digest)\"".utf8)
  }

  private func findSeries(_ id: Int64) throws {
    guard id != seriesID else { return }
    series.restart(id)
    seriesUID = try series.next() ? [UInt8](series.bytes(0)) : []
    seriesID = id
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws {
    let name = event.name
    named.restart(name)
    guard try !named.next() else { return }
    report.add(.record, name, "event \(seq) announced it, but its row is gone")
  }
}

/// Files at the door, each with an event of its own.
final class AnnouncedIntake: AnnouncedTable {
  let rows: RawRows
  let mayComeLate = false

  init(_ db: Database) throws {
    rows = try RawRows(db, sql: "SELECT id, event, outcome, sha256, reason FROM intake ORDER BY id")
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool {
    kind.equals("instance.accepted") || kind.equals("file.duplicate") || kind.equals("file.skipped")
      || kind.equals("file.rejected")
  }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) {
    report.records += 1
    guard let event, isOutcome(event.kind), event.payload.says("sha256", rows, 3),
      event.payload.says("reason", rows, 4)
    else { return report.add(.record, "intake:\(rows.integer(0))", "the row is not what its event says") }
  }

  private func isOutcome(_ kind: UnsafeRawBufferPointer) -> Bool {
    let outcome = rows.bytes(2)
    if outcome.equals("accepted") { return kind.equals("instance.accepted") }
    return kind.hasPrefix("file.") && UnsafeRawBufferPointer(rebasing: kind[5...]).equals(outcome)
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) {
    report.add(
      .record, String(decoding: event.subject, as: UTF8.self),
      "event \(seq) announced a file at the door, but its row is gone")
  }
}

/// Slices with their inputs and outputs, by the digest over all of it; whether their lineage is complete is seen on the
/// way.
final class AnnouncedSlices: AnnouncedTable {
  let rows: RawRows
  let mayComeLate = true
  /// Broken lineage, which comes after the records.
  private(set) var lineage = Verification()
  private let slice: RawRows
  private let inputs: RawRows
  private let output: RawRows
  private var digest = RecordDigest()

  init(_ db: Database) throws {
    rows = try RawRows(db, sql: "SELECT id, event, job_id, idx FROM slices ORDER BY id")
    slice = try RawRows(db, sql: RecordDigest.sliceSQL)
    inputs = try RawRows(db, sql: RecordDigest.sliceInputsSQL)
    output = try RawRows(db, sql: "SELECT 1 FROM outputs WHERE sop_uid = CAST(? AS TEXT)")
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool { kind.equals("slice.published") }

  /// Columns of `RecordDigest.sliceSQL`.
  private enum Column { static let inside: Int32 = 15, sop: Int32 = 19 }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws {
    report.records += 1
    let name = "slice \(rows.integer(3)) of job:\(rows.integer(2))"
    slice.restart(rows.integer(0))
    guard try slice.next() else {
      lineage.add(.lineage, name, "it has no output")
      return report.add(.record, name, "the row is not what its event says")
    }
    digest.add(slice)
    let isAnnounced =
      event.map { announces($0.kind) && $0.isAbout("output:", slice.bytes(Column.sop)) } ?? false
    let isBeside = !slice.isNull(Column.inside) && slice.real(Column.inside) <= 0
    let output = slice.text(Column.sop)
    if try !addInputs(mayLackMoving: isBeside) {
      lineage.add(.lineage, output, "it does not name all its inputs")
    }
    let found = digest.finish()
    guard isAnnounced, let record = event?.payload.value("record"), record.elementsEqual("\"\(found)\"".utf8)
    else { return report.add(.record, name, "the row is not what its event says") }
  }

  /// One fixed image, and a moving one where the moving volume reaches this slice?
  private func addInputs(mayLackMoving: Bool) throws -> Bool {
    var fixed = 0
    var moving = 0
    inputs.restart(rows.integer(0))
    while try inputs.next() {
      digest.add(inputs)
      if inputs.bytes(0).equals("fixed") { fixed += 1 }
      if inputs.bytes(0).equals("moving") { moving += 1 }
    }
    return fixed == 1 && (moving > 0 || mayLackMoving)
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws {
    // Slices of a dead letter that was sent again were published once more, as those of another job.
    let name = event.name
    output.restart(name)
    guard try !output.next() else { return }
    report.add(.record, name, "event \(seq) announced it, but its row is gone")
  }
}
