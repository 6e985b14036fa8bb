// Rows against the events that announced them, and whether every output can be traced back.

internal import GRDB

extension Ledger {
  static func verifyRecords(_ db: Database, _ report: inout Verification) throws {
    try verifyInstances(db, &report)
    try verifyDigests(
      db, kind: "slice.published",
      sql: """
        SELECT s.id, 'slice ' || s.idx || ' of job:' || s.job_id AS name, e.kind,
          CASE WHEN e.subject = 'output:' || o.sop_uid THEN json_extract(e.payload, '$.record') END AS record
        FROM slices s LEFT JOIN outputs o ON o.slice_id = s.id LEFT JOIN events e ON e.seq = s.event ORDER BY s.id
        """, queries: [RecordDigest.sliceSQL, RecordDigest.sliceInputsSQL], &report)
    try verifyDigests(
      db, kind: "job.done",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j LEFT JOIN events e ON e.seq = (
          SELECT max(seq) FROM events d WHERE d.subject = 'job:' || j.id AND d.kind = 'job.done')
        WHERE j.state = 'done' ORDER BY j.id
        """, queries: [RecordDigest.jobSQL], &report)
    // What was found out about a pair before it was refused; early programs did not say.
    try verifyDigests(
      db, kind: "job.rejected",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j JOIN events e ON e.seq = j.event
        WHERE j.state = 'rejected' AND json_extract(e.payload, '$.record') IS NOT NULL ORDER BY j.id
        """, queries: [RecordDigest.jobSQL], &report)
    try verifyPresence(db, &report)
    try verifyJobs(db, &report)
    try verifyRuns(db, &report)
    try verifyIntake(db, &report)
    try verifyTotals(db, &report)
  }

  private static func verifyInstances(_ db: Database, _ report: inout Verification) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT i.sop_uid, i.sha256 IS json_extract(e.payload, '$.sha256')
          AND i.size IS json_extract(e.payload, '$.size') AND se.uid IS json_extract(e.payload, '$.series')
          AND e.subject = 'instance:' || i.sop_uid AND e.kind = 'instance.accepted' AS same
        FROM instances i JOIN series se ON se.id = i.series_id LEFT JOIN events e ON e.seq = i.event
        ORDER BY i.id
        """)
    while let row = try rows.next() {
      report.records += 1
      if row["same"] as Bool? != true {
        report.add(.record, row["sop_uid"], "the instance's row is not what its event says")
      }
    }
  }

  private static func verifyDigests(
    _ db: Database, kind: String, sql: String, queries: [String], _ report: inout Verification
  ) throws {
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      report.records += 1
      let announced: String? = row["kind"] as String? == kind ? row["record"] : nil
      let digest = try RecordDigest.digest(db, queries, id: row["id"])
      if announced != digest { report.add(.record, row["name"], "the row is not what its event says") }
    }
  }

  /// Events whose row is gone.
  private static func verifyPresence(_ db: Database, _ report: inout Verification) throws {
    for (kind, row, column) in [
      ("instance.accepted", "instances", "sop_uid"), ("slice.published", "outputs", "sop_uid"),
      ("job.opened", "jobs", "id"), ("run.began", "runs", "id"),
    ] {
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT seq, subject, substr(subject, instr(subject, ':') + 1) AS name FROM events e WHERE kind = ?
            AND NOT EXISTS (
              SELECT 1 FROM \(row) t WHERE t.\(column) = substr(e.subject, instr(e.subject, ':') + 1)) ORDER BY seq
          """, arguments: [kind])
      while let row = try rows.next() {
        report.add(
          .record, column == "id" ? row["subject"] : row["name"],
          "event \(row["seq"] as Int64) announced it, but its row is gone")
      }
    }
  }

  static func verifyLineage(_ db: Database, _ report: inout Verification) throws {
    let slices = try Row.fetchCursor(
      db,
      sql: """
        SELECT s.job_id, s.idx, o.sop_uid,
          (SELECT count(*) FROM slice_inputs x WHERE x.slice_id = s.id AND x.role = 'fixed') AS fixed,
          (SELECT count(*) FROM slice_inputs x WHERE x.slice_id = s.id AND x.role = 'moving') AS moving
        FROM slices s LEFT JOIN outputs o ON o.slice_id = s.id
        WHERE o.id IS NULL OR fixed <> 1 OR (moving = 0 AND coalesce(s.inside, 1) > 0)
        """)
    while let row = try slices.next() {
      let name = "slice \(row["idx"] as Int) of job:\(row["job_id"] as Int64)"
      let output: String? = row["sop_uid"]
      report.add(
        .lineage, output ?? name, output == nil ? "it has no output" : "it does not name all its inputs")
    }
    let jobs = try Row.fetchCursor(
      db,
      sql: """
        SELECT id, planned_slices, (SELECT count(*) FROM slices s WHERE s.job_id = j.id) AS published FROM jobs j
        WHERE state = 'done' AND planned_slices IS NOT NULL AND published <> planned_slices ORDER BY id
        """)
    while let row = try jobs.next() {
      report.add(
        .lineage, "job:\(row["id"] as Int64)",
        "\(row["published"] as Int) of \(row["planned_slices"] as Int) slices are on record")
    }
  }
}
