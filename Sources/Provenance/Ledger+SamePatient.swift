// What the ledger knows beyond one study about its patients: other identities under the same ID, and registrations.

internal import GRDB

extension Ledger {
  /// The rows of `patients` with the Patient ID and issuer of any patient of these studies, padding aside.
  private static let samePatients = """
    WITH cleaned AS (
      SELECT id, trim(coalesce(patient_id, ''), :padding) AS patient, trim(coalesce(issuer, ''), :padding) AS issuer
      FROM patients),
    mine AS (
      SELECT DISTINCT c.patient, c.issuer FROM studies st JOIN series se ON se.study_id = st.id
      JOIN instances i ON i.series_id = se.id JOIN cleaned c ON c.id = i.patient_id
      WHERE st.uid IN (SELECT value FROM json_each(:studies)) AND c.patient <> ''),
    same AS (SELECT c.id FROM cleaned c JOIN mine m ON m.patient = c.patient AND m.issuer = c.issuer)
    """

  private static func arguments(_ studies: [String]) throws -> StatementArguments {
    ["studies": try JSONDocument(encoding: studies).text, "padding": " ^\t\n\r\0"]
  }

  /// Every identity that images were taken in under with the Patient IDs of these studies: more than one may be a
  /// conflict.
  public func identities(sharingPatientIDsOf studies: [String]) throws -> [PatientRecord] {
    try read {
      try Fetched<PatientRecord>.all(
        $0,
        sql: Self.samePatients + """

          SELECT patient_id AS patientID, issuer, name, birth_date AS birthDate, sex FROM patients
          WHERE id IN (SELECT id FROM same) ORDER BY id
          """, arguments: Self.arguments(studies))
    }
  }

  /// The objects of a SOP class of the same patients that lie in other studies than these, in the order of arrival.
  public func instances(sopClasses: [String], ofPatientsOf studies: [String]) throws -> [StoredInstance] {
    try read { db in
      let ids = try Int64.fetchAll(
        db,
        sql: Self.samePatients + """

          SELECT i.id FROM instances i JOIN series se ON se.id = i.series_id JOIN studies st ON st.id = se.study_id
          WHERE i.patient_id IN (SELECT id FROM same) AND i.sop_class_uid IN (SELECT value FROM json_each(:classes))
            AND st.uid NOT IN (SELECT value FROM json_each(:studies)) ORDER BY i.id
          """,
        arguments: Self.arguments(studies) + ["classes": try JSONDocument(encoding: sopClasses).text])
      return try ids.flatMap { try Self.instances(db, where: "i.id = ?", [$0]) }
    }
  }

  /// An object came that concerns more than its own study: the patient's other studies are to be looked at again.
  public func reopenStudies(ofPatientOf study: String) throws {
    try write {
      try $0.db.execute(
        sql: Self.samePatients + """

          UPDATE studies SET worked_off = NULL, arrivals = arrivals + 1 WHERE uid NOT IN (SELECT value FROM json_each(:studies))
            AND id IN (SELECT se.study_id FROM series se JOIN instances i ON i.series_id = se.id
              WHERE i.patient_id IN (SELECT id FROM same))
          """, arguments: Self.arguments([study]))
    }
  }
}
