// Records that contradict one another. Names and birth dates are compared, never returned.

internal import GRDB

extension Ledger {
  /// All conflicts: patients, then studies, then SOP Instance UIDs.
  /// - Parameter showPatientIDs: name patients by their Patient ID instead of by rows of the ledger.
  public func conflicts(showPatientIDs: Bool = false) throws -> [ConflictRow] {
    try read { db in
      try Self.patientConflicts(db, showPatientIDs: showPatientIDs)
        + Self.studyConflicts(db) + Self.sopConflicts(db)
    }
  }

  /// Is this patient's ID shared with somebody else? Then the pair must not be made.
  public func isAmbiguous(patient: Int64) throws -> Bool {
    try read { db in
      try Bool.fetchOne(
        db,
        sql: """
          SELECT EXISTS (SELECT 1 FROM v_patient_conflicts c JOIN patients p
            ON p.patient_id = c.patient_id AND coalesce(p.issuer, '') = c.issuer WHERE p.id = ?)
          """, arguments: [patient]) ?? false
    }
  }

  private static func patientConflicts(_ db: Database, showPatientIDs: Bool) throws -> [ConflictRow] {
    try Row.fetchAll(db, sql: "SELECT * FROM v_patient_conflicts ORDER BY patient_id, issuer").map { row in
      let patient: String = row["patient_id"]
      let issuer: String = row["issuer"]
      let ids = try Int64.fetchAll(
        db, sql: "SELECT id FROM patients WHERE patient_id = ? AND coalesce(issuer, '') = ? ORDER BY id",
        arguments: [patient, issuer])
      let series = try String.fetchAll(
        db,
        sql: """
          SELECT DISTINCT se.uid FROM instances i JOIN series se ON se.id = i.series_id
          JOIN patients p ON p.id = i.patient_id
          WHERE p.patient_id = ? AND coalesce(p.issuer, '') = ? ORDER BY se.id
          """, arguments: [patient, issuer])
      let columns = [("name_differs", "name"), ("birth_date_differs", "birth date"), ("sex_differs", "sex")]
      let differing = columns.filter { row[$0.0] as Bool }.map(\.1)
      let anonymous = "patients " + ids.map { String($0) }.joined(separator: ", ")
      let named = issuer.isEmpty ? patient : "\(patient) (\(issuer))"
      return ConflictRow(
        kind: .patient, subject: showPatientIDs ? named : anonymous, differing: differing,
        count: row["identities"], series: series, sha256: [])
    }
  }

  private static func studyConflicts(_ db: Database) throws -> [ConflictRow] {
    try Row.fetchAll(db, sql: "SELECT * FROM v_study_conflicts ORDER BY study").map { row in
      let study: String = row["study"]
      let series = try String.fetchAll(
        db,
        sql:
          "SELECT se.uid FROM series se JOIN studies st ON st.id = se.study_id WHERE st.uid = ? ORDER BY se.id",
        arguments: [study])
      return ConflictRow(
        kind: .study, subject: study, differing: ["patient"], count: row["patients"], series: series,
        sha256: [])
    }
  }

  private static func sopConflicts(_ db: Database) throws -> [ConflictRow] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT sop, series, kept_sha256, group_concat(DISTINCT refused_sha256) AS refused, count(*) + 1 AS files
        FROM v_uid_conflicts GROUP BY sop ORDER BY sop
        """)
    return rows.map { row in
      let refused = (row["refused"] as String? ?? "").split(separator: ",").map(String.init)
      return ConflictRow(
        kind: .sop, subject: row["sop"], differing: ["sha256"], count: row["files"], series: [row["series"]],
        sha256: [row["kept_sha256"]] + refused)
    }
  }
}
