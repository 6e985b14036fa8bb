// How the account of a job is read from the ledger.

internal import GRDB

extension Ledger {
  /// Everything recorded of one job.
  /// - Parameter redact: leaves out the patient, and the texts and dates of study and series.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func account(job id: Int64, redact: Bool = false) throws -> JobAccount {
    let detail = try job(id, redact: redact)
    let events = try events(subject: "job:\(id)")
    return try read { db in
      guard let row = try Row.fetchOne(db, sql: Self.meansSQL, arguments: [id]) else {
        throw LedgerError(.notFound, subject: "job:\(id)", detail: "no such job, see the list of jobs")
      }
      var account = JobAccount(
        detail: detail, patient: try Self.patient(db, job: id), study: try Self.study(db, job: id),
        fixed: try Self.series(db, uid: detail.job.fixed),
        moving: try Self.series(db, uid: detail.job.moving),
        slices: try Fetched<JobAccount.Slice>.all(db, sql: Self.slicesSQL, arguments: [id]),
        inputs: try Fetched<JobAccount.Input>.all(db, sql: Self.inputsSQL, arguments: [id]),
        made: try Self.made(db, job: id),
        model: (row["model"] as String?).map { .init(name: $0, sha256: row["model_sha256"]) },
        settings: JSONDocument(text: row["text"]), settingsSHA256: row["settings_sha256"],
        software: .init(
          version: row["version"], blas: row["blas"], host: row["host"], kernels: row["kernels"]),
        events: events)
      if redact { account.redact() }
      return account
    }
  }

  /// The job that a number, an output or a series of outputs belongs to; nil where the ledger knows none.
  public func job(asked text: String) throws -> Int64? {
    try read { db in
      if let id = Int64(text) {
        return try Int64.fetchOne(db, sql: "SELECT id FROM jobs WHERE id = ?", arguments: [id])
      }
      return try Int64.fetchOne(
        db,
        sql: """
          SELECT s.job_id FROM outputs o JOIN slices s ON s.id = o.slice_id WHERE o.sop_uid = :uid
          UNION SELECT id FROM jobs WHERE output_series_uid = :uid OR registration_json ->> '$.output.sop' = :uid ORDER BY 1 DESC LIMIT 1
          """, arguments: ["uid": text])
    }
  }

  private static let meansSQL = """
    SELECT mo.name AS model, mo.sha256 AS model_sha256, se.text, se.sha256 AS settings_sha256, so.version, so.blas,
      so.host, so.kernels
    FROM jobs j JOIN settings se ON se.id = j.settings_id JOIN software so ON so.id = j.software_id
    LEFT JOIN models mo ON mo.id = j.model_id WHERE j.id = ?
    """
  private static let slicesSQL = """
    SELECT s.id, s.idx, s.x, s.y, s.z, s.accepted, s.reason, s.deformation_mean AS mean, s.deformation_max AS max,
      s.folding, s.similarity_measure AS measure, s.similarity_before AS before, s.similarity_after AS after,
      s.inside, s.seconds, s.published, o.sop_uid AS sop, o.path, o.sha256
    FROM slices s JOIN outputs o ON o.slice_id = s.id WHERE s.job_id = ? ORDER BY s.idx
    """
  private static let inputsSQL = """
    SELECT DISTINCT x.role, i.sop_uid AS sop, i.sha256, i.path, i.id AS instance
    FROM slices s JOIN slice_inputs x ON x.slice_id = s.id JOIN instances i ON i.id = x.instance_id
    WHERE s.job_id = ? ORDER BY x.role, i.number, i.id
    """

  private static func made(_ db: Database, job: Int64) throws -> [Int: [Int64]] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT DISTINCT s.idx, x.instance_id, x.role FROM slices s JOIN slice_inputs x ON x.slice_id = s.id
        WHERE s.job_id = ? ORDER BY s.idx, x.role, x.instance_id
        """, arguments: [job])
    var made: [Int: [Int64]] = [:]
    while let row = try rows.next() { made[row[0], default: []].append(row[1]) }
    return made
  }

  private static func patient(_ db: Database, job: Int64) throws -> PatientRecord? {
    try Fetched<PatientRecord>.one(
      db,
      sql: """
        SELECT p.patient_id AS patientID, p.issuer, p.name, p.birth_date AS birthDate, p.sex FROM v_jobs j
        JOIN studies st ON st.uid = j.study JOIN patients p ON p.id = st.patient_id WHERE j.job = ?
        """, arguments: [job])
  }

  private static func study(_ db: Database, job: Int64) throws -> StudyRecord? {
    try Fetched<StudyRecord>.one(
      db,
      sql: """
        SELECT st.uid, st.date, st.time, st.description FROM v_jobs j JOIN studies st ON st.uid = j.study
        WHERE j.job = ?
        """, arguments: [job])
  }

  private static func series(_ db: Database, uid: String) throws -> JobAccount.Series {
    let found = try Fetched<JobAccount.Series>.one(
      db,
      sql: "SELECT uid, modality, number, description, frame_of_reference AS frame FROM series WHERE uid = ?",
      arguments: [uid])
    guard let found else {
      throw LedgerError(.damaged, subject: uid, detail: "the series of a job has no row, run audit verify")
    }
    return found
  }
}

extension JobAccount {
  /// Free texts of a scanner's console can name a person, and dates tell one.
  fileprivate mutating func redact() {
    patient = nil
    study?.date = nil
    study?.time = nil
    study?.description = nil
    fixed.description = nil
    moving.description = nil
  }
}
