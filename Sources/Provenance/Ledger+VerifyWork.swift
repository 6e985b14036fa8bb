// Jobs with their pairs, and runs, against the events that announced them.

internal import GRDB

extension Ledger {
  /// Jobs and runs, and what jobs were found to be when they were done or refused.
  static func verifyWork(_ db: Database, _ report: inout Verification) throws {
    // (The plus keeps SQLite from going through all jobs' ends for each job.)
    try verifyRecords(
      db, kind: "job.done",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j LEFT JOIN events e ON e.seq = (
          SELECT max(seq) FROM events d WHERE d.subject = 'job:' || j.id AND +d.kind = 'job.done')
        WHERE j.state = 'done' ORDER BY j.id
        """, &report)
    // What was found out about a pair before it was refused; early programs did not say.
    try verifyRecords(
      db, kind: "job.rejected",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j JOIN events e ON e.seq = j.event
        WHERE j.state = 'rejected' AND json_extract(e.payload, '$.record') IS NOT NULL ORDER BY j.id
        """, &report)
    try verifyJobRows(db, &report)
    try verifyJobs(db, &report)
    try verifyRuns(db, &report)
  }

  private static func verifyRecords(
    _ db: Database, kind: String, sql: String, _ report: inout Verification
  ) throws {
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      report.records += 1
      let announced: String? = row["kind"] as String? == kind ? row["record"] : nil
      let digest = try RecordDigest.digest(db, [RecordDigest.jobSQL], id: row["id"])
      if announced != digest { report.add(.record, row["name"], "the row is not what its event says") }
    }
  }

  /// The row of a job and its attempts are what its last event says: by digest, where it says one.
  private static func verifyJobRows(_ db: Database, _ report: inout Verification) throws {
    let salt = try SaltedRow.salt(db)
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT j.id, json_extract(e.payload, '$.row') AS digest FROM jobs j JOIN events e ON e.seq = j.event
        WHERE digest IS NOT NULL ORDER BY j.id
        """)
    while let row = try rows.next() {
      let id: Int64 = row["id"]
      if try SaltedRow.job.digest(db, id: id, salt: salt) != row["digest"] {
        report.add(.record, "job:\(id)", "the row or one of its attempts is not what its last event says")
      }
    }
  }

  /// The pair of a job is the one it was opened for, and its state the one its last event moved it to.
  private static func verifyJobs(_ db: Database, _ report: inout Verification) throws {
    try verify(
      db, &report, "the row or its pair is not what its events say",
      sql: """
        SELECT 'job:' || j.id AS name,
          o.kind = 'job.opened' AND e.subject = 'job:' || j.id AND j.key IS json_extract(o.payload, '$.key')
          AND pa.kind IS json_extract(o.payload, '$.kind') AND f.uid IS json_extract(o.payload, '$.fixed')
          AND m.uid IS json_extract(o.payload, '$.moving') AND j.reason IS json_extract(e.payload, '$.reason')
          AND j.state = CASE e.kind
            WHEN 'attempt.began' THEN 'running' WHEN 'job.done' THEN 'done' WHEN 'job.failed' THEN 'failed'
            WHEN 'job.rejected' THEN 'rejected' WHEN 'job.superseded' THEN 'superseded'
            WHEN 'job.opened' THEN 'pending' WHEN 'job.requeued' THEN 'pending'
            WHEN 'job.interrupted' THEN 'pending' WHEN 'job.prepared' THEN 'running' END
          -- Early programs left a job's event as it was when its pair had been read.
          AND (e.seq = (SELECT max(seq) FROM events WHERE subject = 'job:' || j.id)
            OR json_extract(e.payload, '$.row') IS NULL) AS same
        FROM jobs j LEFT JOIN pairs pa ON pa.id = j.pair_id LEFT JOIN series f ON f.id = pa.fixed_series_id
        LEFT JOIN series m ON m.id = pa.moving_series_id LEFT JOIN events e ON e.seq = j.event
        LEFT JOIN events o ON o.seq = (SELECT min(seq) FROM events WHERE subject = 'job:' || j.id)
        ORDER BY j.id
        """)
    // Not the earliest job: a clock that is put back opens later ones at earlier times.
    try verify(
      db, &report, "no job was opened for it when it was found",
      sql: """
        SELECT 'pair:' || id AS name, found IN (SELECT opened FROM jobs WHERE pair_id = pairs.id) AS same FROM pairs
        ORDER BY id
        """)
  }

  private static func verifyRuns(_ db: Database, _ report: inout Verification) throws {
    try verify(
      db, &report, "the row is not what its event says",
      sql: """
        SELECT 'run:' || r.id AS name, e.subject = 'run:' || r.id AND r.state = CASE e.kind
          WHEN 'run.began' THEN 'running' WHEN 'run.interrupted' THEN 'interrupted'
          WHEN 'run.finished' THEN json_extract(e.payload, '$.outcome') END
          AND r.finished IS CASE e.kind WHEN 'run.began' THEN NULL ELSE e.time END
          AND r.command IS json_extract(b.payload, '$.command') AND r.started IS b.time
          AND e.seq = (SELECT max(seq) FROM events WHERE subject = 'run:' || r.id) AS same
        FROM runs r LEFT JOIN events e ON e.seq = r.event LEFT JOIN events b ON b.seq = (
          SELECT min(seq) FROM events WHERE subject = 'run:' || r.id) ORDER BY r.id
        """)
  }

  /// Names every row of a query with `name` and `same` in which `same` is not true.
  static func verify(
    _ db: Database, _ report: inout Verification, _ detail: String, sql: String
  ) throws {
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      report.records += 1
      if row["same"] as Bool? != true { report.add(.record, row["name"], detail) }
    }
  }
}
