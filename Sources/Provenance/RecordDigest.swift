// Digests of recorded rows, put into the event that announces them, so that a row changed later shows.

internal import Crypto
internal import GRDB

/// SHA-256 over values of SQLite, each with its type and length: `n;`, `i<decimal>;`, `r<IEEE 754 bits, hex>;`,
/// `t<bytes>:<UTF-8>;`, `b<bytes>:<bytes>;`; a row ends with a line feed.
final class RecordDigest {
  private let bytes = HashBuffer()
  private let salt: Int

  /// - Parameter salt: comes first in everything that is hashed.
  init(salt: [UInt8] = []) {
    self.salt = salt.count
    salt.withUnsafeBytes { bytes.append($0) }
  }

  /// A whole row.
  func add(_ rows: RawRows) {
    add(rows, 0..<rows.columns)
    endRow()
  }

  func add(_ rows: RawRows, _ columns: Range<Int32>) {
    for column in columns { bytes.append(valueOf: rows, column) }
  }

  /// Values that are written as they are hashed already.
  func add(written values: UnsafeRawBufferPointer) { bytes.append(values) }

  func endRow() { bytes.append(UInt8(ascii: "\n")) }

  /// The digest in hexadecimal; what comes next begins another one.
  func finish() -> String { hex(end()) }

  /// Is it the digest that an event says, a JSON string? What comes next begins another one.
  func finish(is value: UnsafeRawBufferPointer) -> Bool {
    let digest = end()
    guard value.count == 66, value[0] == UInt8(ascii: "\""), value[65] == UInt8(ascii: "\"") else {
      return false
    }
    return digest.withUnsafeBytes { bytes in
      for index in 0..<32 {
        guard value[2 * index + 1] == HashBuffer.digit(bytes[index] >> 4),
          value[2 * index + 2] == HashBuffer.digit(bytes[index] & 15)
        else { return false }
      }
      return true
    }
  }

  private func end() -> SHA256.Digest {
    defer { bytes.cut(to: salt) }
    return bytes.digest
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

  static func digest(_ db: Database, _ queries: [String], id: Int64, salt: [UInt8] = []) throws -> String {
    let digest = RecordDigest(salt: salt)
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
