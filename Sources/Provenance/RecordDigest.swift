// Digests of recorded rows, put into the event that announces them, so that a row changed later shows.

internal import Crypto
internal import Foundation
internal import GRDB

/// SHA-256 over values of SQLite, each with its type and length: `n;`, `i<decimal>;`, `r<IEEE 754 bits, hex>;`,
/// `t<bytes>:<UTF-8>;`, `b<bytes>:<bytes>;`; a row ends with a line feed.
struct RecordDigest {
  private var hash = SHA256()

  mutating func add(_ row: Row) {
    var bytes: [UInt8] = []
    for value in row.databaseValues {
      switch value.storage {
      case .null: bytes.append(contentsOf: "n;".utf8)
      case .int64(let integer): bytes.append(contentsOf: "i\(integer);".utf8)
      case .double(let number): bytes.append(contentsOf: "r\(String(number.bitPattern, radix: 16));".utf8)
      case .string(let text): bytes.append(contentsOf: "t\(text.utf8.count):\(text);".utf8)
      case .blob(let data):
        bytes.append(contentsOf: "b\(data.count):".utf8)
        bytes.append(contentsOf: data)
        bytes.append(UInt8(ascii: ";"))
      }
    }
    bytes.append(UInt8(ascii: "\n"))
    hash.update(data: bytes)
  }

  mutating func finish() -> String { hex(hash.finalize()) }

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

  static func digest(_ db: Database, _ queries: [String], id: Int64) throws -> String {
    var digest = RecordDigest()
    for sql in queries {
      let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [id])
      while let row = try rows.next() { digest.add(row) }
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
}
