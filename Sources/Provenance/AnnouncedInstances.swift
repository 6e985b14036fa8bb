// What images in the store must say to be what their events announced.

internal import GRDB

/// Images in the store: digest, size and series by value, everything else by the digests of the row.
final class AnnouncedInstances: AnnouncedTable {
  static let name = "instance"
  let rows: RawRows
  let mayComeLate = true
  private let series: RawRows
  private let header: RawRows
  private let named: RawRows
  private let record = RecordDigest()
  private let row: RecordDigest
  /// Rows of one series follow each other: what they share is kept as it is hashed.
  private var seriesID: Int64?
  private var seriesUID: [UInt8] = []
  private let seriesValues = HashBuffer()
  private var headerID: Int64?
  private let headerValue = HashBuffer()

  init(_ db: Database, _ ids: Range<Int64>) throws {
    // From `sop_uid` on as in `RecordDigest.instanceSQL`, then as in `SaltedRow.instance`.
    rows = try RawRows(
      db,
      sql: """
        SELECT id, event, series_id, header_id, sop_uid, sop_class_uid, transfer_syntax, number, path, sha256, size,
          received, header_json, id, patient_id, original_path, run_id FROM instances
        WHERE id >= \(ids.lowerBound) AND id < \(ids.upperBound) ORDER BY id
        """)
    series = try RawRows(
      db,
      sql: """
        SELECT se.uid, st.uid, se.modality FROM series se JOIN studies st ON st.id = se.study_id WHERE se.id = ?
        """)
    header = try RawRows(db, sql: "SELECT header_json FROM headers WHERE id = ?")
    named = try RawRows(db, sql: "SELECT 1 FROM instances WHERE sop_uid = CAST(? AS TEXT)")
    row = RecordDigest(salt: try SaltedRow.salt(db))
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool { kind.equals("instance.accepted") }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws {
    report.records += 1
    guard let event, try isTrue(event) else {
      return report.add(.record, rows.text(4), "the instance's row is not what its event says")
    }
  }

  private func isTrue(_ event: AnnouncedEvent) throws -> Bool {
    guard announces(event.kind), event.isAbout("instance:", rows.bytes(4)),
      event.payload.says("sha256", rows, 9), event.payload.says("size", number: rows.integer(10))
    else { return false }
    try findSeries(rows.integer(2))
    guard seriesUID.withUnsafeBytes({ event.payload.says("series", $0) }) else { return false }
    if event.payload.value("record") != nil {
      try addRecord()
      guard event.payload.says("record", record) else { return false }
    }
    guard let value = event.payload.value("row") else { return true }
    row.add(rows, 13..<17)
    row.endRow()
    return row.finish(is: value)
  }

  private func addRecord() throws {
    record.add(rows, 4..<7)
    record.add(written: seriesValues.bytes)
    record.add(rows, 7..<12)
    try findHeader()
    record.add(written: headerValue.bytes)
    record.add(rows, 12..<13)
    record.endRow()
  }

  private func findSeries(_ id: Int64) throws {
    guard id != seriesID else { return }
    seriesID = id
    seriesUID = []
    seriesValues.cut()
    series.restart(id)
    guard try series.next() else { return }
    seriesUID = [UInt8](series.bytes(0))
    for column in Int32(0)..<3 { seriesValues.append(valueOf: series, column) }
  }

  private func findHeader() throws {
    let id: Int64? = rows.isNull(3) ? nil : rows.integer(3)
    guard id != headerID || headerValue.count == 0 else { return }
    headerID = id
    headerValue.cut()
    if let id {
      header.restart(id)
      if try header.next() { return headerValue.append(valueOf: header, 0) }
    }
    headerValue.append("n;")
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws {
    let name = event.name
    named.restart(name)
    guard try !named.next() else { return }
    report.add(.record, name, "event \(seq) announced it, but its row is gone")
  }
}
