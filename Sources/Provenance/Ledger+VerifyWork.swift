// Jobs with their pairs, runs and the sums over slices and files, against the events that announced them.

internal import GRDB

extension Ledger {
  /// The pair of a job is the one it was opened for, and its state the one its last event moved it to.
  static func verifyJobs(_ db: Database, _ report: inout Verification) throws {
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
            WHEN 'job.interrupted' THEN 'pending' END AS same
        FROM jobs j LEFT JOIN pairs pa ON pa.id = j.pair_id LEFT JOIN series f ON f.id = pa.fixed_series_id
        LEFT JOIN series m ON m.id = pa.moving_series_id LEFT JOIN events e ON e.seq = j.event
        LEFT JOIN events o ON o.seq = (SELECT min(seq) FROM events WHERE subject = 'job:' || j.id)
        ORDER BY j.id
        """)
    try verify(
      db, &report, "no job was ever opened for it",
      sql: """
        SELECT 'pair:' || id AS name, EXISTS (SELECT 1 FROM jobs WHERE pair_id = pairs.id) AS same FROM pairs
        ORDER BY id
        """)
  }

  static func verifyRuns(_ db: Database, _ report: inout Verification) throws {
    try verify(
      db, &report, "the row is not what its event says",
      sql: """
        SELECT 'run:' || r.id AS name, e.subject = 'run:' || r.id AND r.state = CASE e.kind
          WHEN 'run.began' THEN 'running' WHEN 'run.interrupted' THEN 'interrupted'
          WHEN 'run.finished' THEN json_extract(e.payload, '$.outcome') END AS same
        FROM runs r LEFT JOIN events e ON e.seq = r.event ORDER BY r.id
        """)
  }

  /// The sums that triggers keep.
  static func verifyTotals(_ db: Database, _ report: inout Verification) throws {
    let detail = "the sum kept of it is not what its rows come to"
    try verify(
      db, &report, detail,
      sql: """
        WITH sums AS (
          SELECT job_id, count(*) AS slices, sum(accepted = 0) AS undeformed, count(deformation_mean) AS deformed,
            total(deformation_mean) AS mean, max(deformation_max) AS most, min(published) AS first,
            max(published) AS last
          FROM slices GROUP BY job_id)
        SELECT 'job:' || s.job_id AS name, t.slices = s.slices AND t.undeformed = s.undeformed
          AND t.deformed = s.deformed AND abs(t.deformation_sum - s.mean) <= 1e-9 * s.slices * (1 + abs(s.mean))
          AND t.deformation_max IS s.most AND t.first_published = s.first AND t.last_published = s.last AS same
        FROM sums s LEFT JOIN job_totals t ON t.job_id = s.job_id
        UNION ALL SELECT 'job:' || job_id, 0 FROM job_totals WHERE job_id NOT IN (SELECT job_id FROM slices)
        """)
    try verify(
      db, &report, detail,
      sql: """
        WITH sums AS (
          SELECT run_id, outcome, count(*) AS files FROM intake WHERE run_id IS NOT NULL GROUP BY run_id, outcome)
        SELECT 'run:' || s.run_id AS name, t.files IS s.files AS same
        FROM sums s LEFT JOIN intake_totals t ON t.run_id = s.run_id AND t.outcome = s.outcome
        UNION ALL SELECT 'run:' || t.run_id, 0 FROM intake_totals t
          WHERE NOT EXISTS (SELECT 1 FROM intake k WHERE k.run_id = t.run_id AND k.outcome = t.outcome)
        """)
  }

  /// Names every row of a query with `name` and `same` in which `same` is not true.
  private static func verify(
    _ db: Database, _ report: inout Verification, _ detail: String, sql: String
  ) throws {
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      report.records += 1
      if row["same"] as Bool? != true { report.add(.record, row["name"], detail) }
    }
  }
}
