// Rows against the events that announced them, and whether every output can be traced back.

internal import GRDB

extension Ledger {
  /// What the walk along the events found.
  struct Walked {
    var records: Verification
    var lineage: Verification
    /// Rows that refer past the end of the chain, by table.
    var beyond: [String: (event: Int64, row: Int64)] = [:]
  }

  /// Images, files at the door and slices, each held against its event, and each event against its row.
  static func walkRecords(_ db: Database) throws -> Walked {
    let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
    let published = try AnnouncedSlices(db)
    var instances = try AnnouncedRows(AnnouncedInstances(db), db, last: last)
    var intake = try AnnouncedRows(AnnouncedIntake(db), db, last: last)
    var slices = try AnnouncedRows(published, db, last: last)
    var report = Verification()
    let events = try RawRows(db, sql: "SELECT seq, kind, subject, payload FROM events ORDER BY seq")
    while try events.next() {
      let seq = events.integer(0)
      let event = AnnouncedEvent(events, from: 1)
      try instances.meet(seq, event, &report)
      try intake.meet(seq, event, &report)
      try slices.meet(seq, event, &report)
    }
    try instances.finish(&report)
    try intake.finish(&report)
    try slices.finish(&report)
    var walked = Walked(records: report, lineage: published.lineage)
    walked.beyond["instance"] = instances.beyond
    walked.beyond["intake"] = intake.beyond
    walked.beyond["slice"] = slices.beyond
    return walked
  }

  /// Jobs and runs: few, so SQL goes through them.
  static func verifyWork(_ db: Database, _ report: inout Verification) throws {
    try verifyDigests(
      db, kind: "job.done",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j LEFT JOIN events e ON e.seq = (
          SELECT max(seq) FROM events d WHERE d.subject = 'job:' || j.id AND +d.kind = 'job.done')
        WHERE j.state = 'done' ORDER BY j.id
        """, &report)
    // (The plus keeps SQLite from going through all jobs' ends for each job.) Then what was found out about a pair before it
    // was refused; early programs did not say.
    try verifyDigests(
      db, kind: "job.rejected",
      sql: """
        SELECT j.id, 'job:' || j.id AS name, e.kind, json_extract(e.payload, '$.record') AS record
        FROM jobs j JOIN events e ON e.seq = j.event
        WHERE j.state = 'rejected' AND json_extract(e.payload, '$.record') IS NOT NULL ORDER BY j.id
        """, &report)
    try verifyPresence(db, &report)
    try verifyJobs(db, &report)
    try verifyRuns(db, &report)
  }

  private static func verifyDigests(
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

  /// Events whose row is gone.
  private static func verifyPresence(_ db: Database, _ report: inout Verification) throws {
    for (kind, table) in [("job.opened", "jobs"), ("run.began", "runs")] {
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT seq, subject FROM events e WHERE kind = ?
            AND NOT EXISTS (
              SELECT 1 FROM \(table) t WHERE t.id = substr(e.subject, instr(e.subject, ':') + 1)) ORDER BY seq
          """, arguments: [kind])
      while let row = try rows.next() {
        report.add(
          .record, row["subject"], "event \(row["seq"] as Int64) announced it, but its row is gone")
      }
    }
  }

  static func verifyLineage(_ db: Database, _ report: inout Verification) throws {
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
