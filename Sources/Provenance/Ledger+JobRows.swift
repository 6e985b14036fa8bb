// How jobs are read and moved inside a transaction; the public methods are in Ledger+Jobs.

internal import Foundation
internal import GRDB

extension Ledger {
  static func job(_ db: Database, id: Int64) throws -> Job {
    guard let job = try job(db, where: "j.id = ?", [id]) else {
      throw LedgerError(.notFound, subject: "job:\(id)", detail: "no such job, see the list of jobs")
    }
    return job
  }

  static func job(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> Job? {
    try jobs(db, where: condition, arguments).first
  }

  static func jobs(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> [Job] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT j.id, j.key, pa.kind, st.uid AS studyInstanceUID, f.uid AS fixedSeriesUID,
          m.uid AS movingSeriesUID, j.output_series_uid AS outputSeriesUID, j.state, j.reason, j.sentence,
          j.attempts, j.retry_at AS retryAt, j.planned_slices AS plannedSlices,
          (SELECT count(*) FROM slices s WHERE s.job_id = j.id) AS publishedSlices
        FROM jobs j JOIN pairs pa ON pa.id = j.pair_id JOIN series f ON f.id = pa.fixed_series_id
        JOIN series m ON m.id = pa.moving_series_id JOIN studies st ON st.id = f.study_id WHERE \(condition)
        """)
    return try Fetched<Job>.all(statement, arguments: arguments)
  }
}

extension Change {
  /// Moves a job to another state, with the event that says so.
  /// - Parameter also: what else of the job and its attempts changes with it.
  func moveJob(
    _ job: Int64, to state: String, kind: String, reason: String? = nil, sentence: String? = nil,
    _ payload: [String: JSONValue] = [:], also: () throws -> Void = {}
  ) throws {
    guard let old: String = try value("SELECT state FROM jobs WHERE id = ?", [job]) else {
      throw LedgerError(.notFound, subject: "job:\(job)", detail: "no such job, see the list of jobs")
    }
    var payload = payload
    payload["from"] = .string(old)
    payload["reason"] = JSONValue(reason)
    try run(
      """
      UPDATE jobs SET state = ?, reason = ?, sentence = ?, retry_at = NULL, superseded_by = NULL WHERE id = ?
      """, [state, reason, sentence, job])
    try also()
    try announceJob(job, kind, payload)
  }

  /// The event that says what the row of a job and its attempts are now.
  func announceJob(_ job: Int64, _ kind: String, _ payload: [String: JSONValue]) throws {
    let event = try announce(.job, job, kind, subject: "job:\(job)", payload)
    try run("UPDATE jobs SET event = ? WHERE id = ?", [event, job])
  }

  /// Closes the attempt under way, if there is one, and times the job by it.
  func endAttempt(_ job: Int64, outcome: String, reason: String?, sentence: String?) throws {
    guard
      let attempt = try row(
        "SELECT id, started FROM attempts WHERE job_id = ? AND outcome IS NULL", [job])
    else {
      try run("UPDATE jobs SET finished = ? WHERE id = ?", [now, job])
      return
    }
    try run(
      "UPDATE attempts SET finished = ?, outcome = ?, reason = ?, sentence = ? WHERE id = ?",
      [now, outcome, reason, sentence, attempt["id"] as Int64])
    let seconds = Timestamp.date(attempt["started"]).map { date.timeIntervalSince($0) }
    try run("UPDATE jobs SET finished = ?, seconds = ? WHERE id = ?", [now, seconds, job])
  }

  /// The row of a job's pair, a new one for a pair never seen. Its series are known: `key(of:)` has seen to that.
  func pair(of new: NewJob) throws -> Int64 {
    let known: Int64? = try value(
      """
      SELECT pa.id FROM pairs pa JOIN series f ON f.id = pa.fixed_series_id JOIN series m ON m.id = pa.moving_series_id
      WHERE pa.kind = ? AND f.uid = ? AND m.uid = ?
      """, [new.kind, new.fixedSeriesUID, new.movingSeriesUID])
    if let known { return known }
    return try insert(
      """
      INSERT INTO pairs (kind, fixed_series_id, moving_series_id, found)
      VALUES (?, (SELECT id FROM series WHERE uid = ?), (SELECT id FROM series WHERE uid = ?), ?)
      """, [new.kind, new.fixedSeriesUID, new.movingSeriesUID, now])
  }

  /// The key of a job: the same work, the same key.
  func key(of new: NewJob) throws -> String {
    func digest(_ table: String, _ column: String, _ id: Int64) throws -> String {
      guard let text: String = try value("SELECT \(column) FROM \(table) WHERE id = ?", [id]) else {
        throw LedgerError(.notFound, subject: "\(table):\(id)", detail: "register it before opening a job")
      }
      return text
    }
    for uid in [new.fixedSeriesUID, new.movingSeriesUID] {
      guard try value("SELECT id FROM series WHERE uid = ?", [uid]) as Int64? != nil else {
        throw LedgerError(.notFound, subject: uid, detail: "no series of this UID is recorded")
      }
    }
    return NewJob.key([
      new.kind, new.fixedSeriesUID, new.movingSeriesUID, new.inputsSHA256,
      try new.model.map { try digest("models", "sha256", $0) } ?? "",
      try digest("settings", "sha256", new.settings), try digest("software", "version", new.software),
    ])
  }
}
