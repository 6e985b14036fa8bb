// Digests of whole rows, for rows that name a person or that change: which columns, and the event that says them.

internal import Foundation
internal import GRDB

/// A row whose event carries, under `row` – of a file at the door under `seen` –, the digest of all it says. The ledger's salt comes first in what is hashed:
/// who has the events alone cannot try names and birth dates until one fits.
///
/// As those of `RecordDigest`, the queries never change.
enum SaltedRow {
  case patient, study, series, verdict, instance, intake, settings, model, software, run, job

  var queries: [String] {
    switch self {
    case .patient: ["SELECT id, patient_id, issuer, name, birth_date, sex FROM patients WHERE id = ?"]
    case .study: ["SELECT id, uid, patient_id, date, time, description FROM studies WHERE id = ?"]
    case .series:
      [
        """
        SELECT id, uid, study_id, modality, number, description, frame_of_reference FROM series WHERE id = ?
        """
      ]
    case .verdict: ["SELECT uid, state, reason, sentence FROM series WHERE id = ?"]
    // What `RecordDigest` leaves out of an image, so that its digest is the same in every ledger.
    case .instance: ["SELECT id, patient_id, original_path, run_id FROM instances WHERE id = ?"]
    case .intake: [Self.intakeSQL + " WHERE id = ?"]
    case .settings: ["SELECT id, sha256, text, registered FROM settings WHERE id = ?"]
    case .model: ["SELECT id, name, sha256, parameters, registered FROM models WHERE id = ?"]
    case .software: ["SELECT id, version, blas, host, kernels, registered FROM software WHERE id = ?"]
    case .run: ["SELECT id, command, started, settings_id, software_id FROM runs WHERE id = ?"]
    case .job: [Self.jobSQL, Self.attemptsSQL]
    }
  }

  /// All that is said of a file at the door, but for its event.
  static let intakeSQL = """
    SELECT id, run_id, time, outcome, reason, sentence, original_path, sha256, size, sop_uid, series_uid, study_uid,
      modality, quarantine_path, instance_id FROM intake
    """
  private static let jobSQL = """
    SELECT id, key, pair_id, inputs_sha256, model_id, settings_id, software_id, output_series_uid, run_id, state, reason,
      sentence, attempts, retry_at, superseded_by, planned_slices, interpolation, normalization_fixed_json,
      normalization_moving_json, registration_json, details_json, opened, started, finished, seconds
    FROM jobs WHERE id = ?
    """
  private static let attemptsSQL = """
    SELECT id, run_id, number, worker, started, finished, outcome, reason, sentence FROM attempts WHERE job_id = ?
    ORDER BY number
    """

  func digest(_ db: Database, id: Int64, salt: [UInt8]) throws -> String {
    try RecordDigest.digest(db, queries, id: id, salt: salt)
  }

  /// The ledger's salt.
  static func salt(_ db: Database) throws -> [UInt8] {
    [UInt8](try Data.fetchOne(db.cachedStatement(sql: "SELECT salt FROM ledger")) ?? Data())
  }
}

extension Change {
  /// - Parameter salt: the ledger's, where it is at hand.
  func digest(_ row: SaltedRow, _ id: Int64, salt: [UInt8]? = nil) throws -> JSONValue {
    .string(try row.digest(db, id: id, salt: salt ?? SaltedRow.salt(db)))
  }

  /// Appends the event that announces a row.
  @discardableResult
  func announce(
    _ row: SaltedRow, _ id: Int64, _ kind: String, subject: String, _ payload: [String: JSONValue] = [:]
  ) throws -> Int64 {
    var payload = payload
    payload[row == .intake ? "seen" : "row"] = try digest(row, id)
    return try append(kind, subject: subject, payload)
  }

  func announcePatient(_ id: Int64) throws {
    try announce(.patient, id, "patient.recorded", subject: "patient:\(id)")
  }

  func announceStudy(_ id: Int64, uid: String) throws {
    try announce(.study, id, "study.recorded", subject: "study:\(uid)")
  }

  func announceSeries(_ id: Int64, uid: String) throws {
    try announce(.series, id, "series.recorded", subject: "series:\(uid)")
  }

  /// Announces patients, studies and series of programs that had no events for them.
  func announceCatalogue() throws {
    for id in try Int64.fetchAll(db, sql: "SELECT id FROM patients ORDER BY id") { try announcePatient(id) }
    for row in try Row.fetchAll(db, sql: "SELECT id, uid FROM studies ORDER BY id") {
      try announceStudy(row[0], uid: row[1])
    }
    for row in try Row.fetchAll(db, sql: "SELECT id, uid FROM series ORDER BY id") {
      try announceSeries(row[0], uid: row[1])
    }
  }
}
