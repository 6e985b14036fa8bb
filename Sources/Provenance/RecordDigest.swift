// Digests of recorded rows, put into the event that announces them, so that a row changed later shows.

internal import Crypto
internal import GRDB
internal import GRDBSQLite

/// SHA-256 over values of SQLite, each with its type and length: `n;`, `i<decimal>;`, `r<IEEE 754 bits, hex>;`,
/// `t<bytes>:<UTF-8>;`, `b<bytes>:<bytes>;`; a row ends with a line feed.
struct RecordDigest {
  private var bytes: [UInt8] = []

  mutating func add(_ rows: RawRows) {
    for column in 0..<rows.columns {
      switch rows.type(column) {
      case SQLITE_NULL: bytes.append("n;")
      case SQLITE_INTEGER:
        bytes.append(UInt8(ascii: "i"))
        bytes.append(decimal: rows.integer(column))
        bytes.append(UInt8(ascii: ";"))
      case SQLITE_FLOAT:
        bytes.append(UInt8(ascii: "r"))
        bytes.append(rows.real(column).bitPattern, radix: 16)
        bytes.append(UInt8(ascii: ";"))
      case let type:
        let value = rows.bytes(column)
        bytes.append(UInt8(ascii: type == SQLITE_TEXT ? "t" : "b"))
        bytes.append(decimal: Int64(value.count))
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: ";"))
      }
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  /// The digest in hexadecimal; what comes next begins another one.
  mutating func finish() -> String {
    defer { bytes.removeAll(keepingCapacity: true) }
    return hex(SHA256.hash(data: bytes))
  }

  /// Everything recorded of one slice and its output, but for row ids that only this file knows.
  static let sliceSQL = """
    SELECT s.job_id, s.idx, s.x, s.y, s.z, s.accepted, s.reason, s.deformation_mean, s.deformation_max,
      s.deformation_mean_px, s.deformation_max_px, s.folding, s.similarity_measure, s.similarity_before,
      s.similarity_after, s.inside, s.seconds, s.timings_json, s.published, o.sop_uid, o.path, o.sha256, o.size
    FROM slices s JOIN outputs o ON o.slice_id = s.id WHERE s.id = ?
    """
  static let sliceInputsSQL = """
    SELECT x.role, i.sop_uid, i.sha256, x.frame FROM slice_inputs x JOIN instances i ON i.id = x.instance_id
    WHERE x.slice_id = ? ORDER BY x.role, i.sop_uid, x.frame
    """
  /// What a job was: its identity and what was found on reading both series.
  static let jobSQL = """
    SELECT j.id, j.key, pa.kind, f.uid, m.uid, j.inputs_sha256, mo.sha256, se.sha256, se.text, so.version, so.blas,
      so.host, so.kernels, j.output_series_uid, j.planned_slices, j.interpolation, j.normalization_fixed_json,
      j.normalization_moving_json, j.registration_json, j.details_json
    FROM jobs j JOIN pairs pa ON pa.id = j.pair_id JOIN series f ON f.id = pa.fixed_series_id
    JOIN series m ON m.id = pa.moving_series_id
    JOIN settings se ON se.id = j.settings_id JOIN software so ON so.id = j.software_id
    LEFT JOIN models mo ON mo.id = j.model_id WHERE j.id = ?
    """

  /// What the ledger says of one image, but for the patient and the path of the drop folder.
  static let instanceSQL = """
    SELECT i.sop_uid, i.sop_class_uid, i.transfer_syntax, se.uid, st.uid, se.modality, i.number, i.path, i.sha256,
      i.size, i.received, h.header_json, i.header_json
    FROM instances i JOIN series se ON se.id = i.series_id JOIN studies st ON st.id = se.study_id
    LEFT JOIN headers h ON h.id = i.header_id WHERE i.id = ?
    """

  static func digest(_ db: Database, _ queries: [String], id: Int64) throws -> String {
    var digest = RecordDigest()
    for sql in queries {
      let rows = RawRows(try db.cachedStatement(sql: sql))
      rows.restart(id)
      while try rows.next() { digest.add(rows) }
    }
    return digest.finish()
  }
}

extension Change {
  func sliceDigest(_ slice: Int64) throws -> String {
    try RecordDigest.digest(db, [RecordDigest.sliceSQL, RecordDigest.sliceInputsSQL], id: slice)
  }

  func jobDigest(_ job: Int64) throws -> String {
    try RecordDigest.digest(db, [RecordDigest.jobSQL], id: job)
  }

  func instanceDigest(_ instance: Int64) throws -> String {
    try RecordDigest.digest(db, [RecordDigest.instanceSQL], id: instance)
  }
}
