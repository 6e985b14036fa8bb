// Rows of which there are few against the events that announced them: who and what there is, and with what.

internal import Foundation
internal import GRDB

extension Ledger {
  /// How a table's rows are found among the events.
  private struct Announced {
    let table: String
    let row: SaltedRow
    let kind: String
    /// What the subject of the row's event names it by.
    let key: String
    /// What else tells the row's event from others of its subject, over `t` and `e`.
    var match = "1"

    var subject: String { "'\(kind.prefix { $0 != "." }):' || t.\(key)" }
  }

  private static let announced = [
    Announced(table: "patients", row: .patient, kind: "patient.recorded", key: "id"),
    Announced(table: "studies", row: .study, kind: "study.recorded", key: "uid"),
    Announced(table: "series", row: .series, kind: "series.recorded", key: "uid"),
    Announced(table: "settings", row: .settings, kind: "settings.registered", key: "sha256"),
    Announced(
      table: "models", row: .model, kind: "model.registered", key: "sha256",
      match: "t.name IS json_extract(e.payload, '$.name')"),
    Announced(
      table: "software", row: .software, kind: "software.registered", key: "version",
      match: """
        t.blas IS json_extract(e.payload, '$.blas') AND t.host IS json_extract(e.payload, '$.host')
        AND t.kernels IS json_extract(e.payload, '$.kernels')
        """),
    Announced(table: "runs", row: .run, kind: "run.began", key: "id"),
    Announced(table: "jobs", row: .job, kind: "job.opened", key: "id"),
  ]

  /// Rows that have an event of their own, which says their digest.
  static func verifyCatalogue(_ db: Database, _ report: inout Verification) throws {
    let salt = try SaltedRow.salt(db)
    try verify(
      db, &report, "the row is not what its event says",
      sql: """
        SELECT 'ledger:' || uuid AS name, e.kind = 'ledger.created' AND e.subject = 'ledger:' || uuid
          AND e.time = created AND ledger.id = 1 AND (SELECT count(*) FROM ledger) = 1 AS same
        FROM ledger LEFT JOIN events e ON e.seq = 1
        """)
    for table in announced {
      // A job's row changes: its last event says what it is.
      if table.row != .job { try verifyDigests(db, table, salt, &report) }
      try verifyPresence(db, table, &report)
    }
    try verifyVerdicts(db, salt, &report)
    try verifyReleases(db, &report)
    try verifyStrays(db, &report)
  }

  private static func verifyDigests(
    _ db: Database, _ table: Announced, _ salt: [UInt8], _ report: inout Verification
  ) throws {
    // (The plus keeps SQLite from going through all events of a kind for each row.)
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT t.id, \(table.subject) AS name, x.seq, json_extract(x.payload, '$.row') AS digest
        FROM \(table.table) t LEFT JOIN events x ON x.seq = (
          SELECT max(seq) FROM events e WHERE e.subject = \(table.subject) AND +e.kind = '\(table.kind)'
            AND \(table.match)) ORDER BY t.id
        """)
    while let row = try rows.next() {
      report.records += 1
      guard row["seq"] as Int64? != nil else {
        report.add(.record, row["name"], "no event announced it")
        continue
      }
      // Early programs said no digest.
      guard let digest: String = row["digest"] else { continue }
      if try table.row.digest(db, id: row["id"], salt: salt) != digest {
        report.add(.record, row["name"], "the row is not what its event says")
      }
    }
  }

  /// Events whose row is gone.
  private static func verifyPresence(
    _ db: Database, _ table: Announced, _ report: inout Verification
  ) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT seq, subject FROM events e WHERE kind = '\(table.kind)'
          AND NOT EXISTS (SELECT 1 FROM \(table.table) t
            WHERE t.\(table.key) = substr(e.subject, instr(e.subject, ':') + 1) AND \(table.match)) ORDER BY seq
        """)
    while let row = try rows.next() {
      report.add(
        .record, row["subject"], "event \(row["seq"] as Int64) announced it, but its row is gone")
    }
  }

  /// Whether a series may be used is what the last event about that says.
  private static func verifyVerdicts(
    _ db: Database, _ salt: [UInt8], _ report: inout Verification
  ) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT t.id, 'series:' || t.uid AS name, json_extract(e.payload, '$.row') AS digest,
          CASE WHEN e.seq IS NULL THEN t.state = 'accepted' AND t.reason IS NULL AND t.sentence IS NULL
            ELSE e.kind = 'series.' || t.state AND t.reason IS json_extract(e.payload, '$.reason') END AS same
        FROM series t LEFT JOIN events e ON e.seq = (
          SELECT max(seq) FROM events d WHERE d.subject = 'series:' || t.uid
            AND +d.kind IN ('series.accepted', 'series.skipped', 'series.rejected')) ORDER BY t.id
        """)
    while let row = try rows.next() {
      report.records += 1
      var isSame = row["same"] as Bool? == true
      if isSame, let digest: String = row["digest"] {
        isSame = try SaltedRow.verdict.digest(db, id: row["id"], salt: salt) == digest
      }
      if !isSame { report.add(.record, row["name"], "its state is not what its events say") }
    }
  }

  /// Images let go by retention: row and event are both there, unless the image has come again.
  private static func verifyReleases(_ db: Database, _ report: inout Verification) throws {
    try verify(
      db, &report, "no event let it go",
      sql: """
        SELECT coalesce('instance:' || i.sop_uid, 'release:' || r.instance_id) AS name, e.kind = 'instance.released' AND e.subject = 'instance:' || i.sop_uid
          AS same
        FROM releases r LEFT JOIN instances i ON i.id = r.instance_id LEFT JOIN events e ON e.seq = r.event
        ORDER BY r.instance_id
        """)
    try verify(
      db, &report, "it was let go, but the row that says so is gone",
      sql: """
        SELECT e.subject AS name, EXISTS (
            SELECT 1 FROM instances i JOIN releases r ON r.instance_id = i.id WHERE i.sop_uid = substr(e.subject, 10))
          OR EXISTS (SELECT 1 FROM events d WHERE d.subject = e.subject AND +d.kind = 'instance.restored'
            AND d.seq > e.seq) AS same
        FROM events e WHERE e.kind = 'instance.released' ORDER BY e.seq
        """)
  }

  /// Rows that hang on nothing, which no question would show.
  private static func verifyStrays(_ db: Database, _ report: inout Verification) throws {
    let strays = [
      ("output", "outputs", "NOT EXISTS (SELECT 1 FROM slices s WHERE s.id = t.slice_id)", "t.sop_uid"),
      ("attempt", "attempts", "NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = t.job_id)", "t.id"),
      (
        "header", "headers",
        "NOT EXISTS (SELECT 1 FROM instances i WHERE i.series_id = t.series_id AND i.header_id = t.id)",
        "t.id"
      ),
    ]
    for (name, table, condition, key) in strays {
      let rows = try Row.fetchCursor(
        db, sql: "SELECT '\(name):' || \(key) FROM \(table) t WHERE \(condition) ORDER BY t.id")
      while let row = try rows.next() {
        report.add(.record, row[0], "the row belongs to nothing that is on record")
      }
    }
  }

  /// Finished jobs have all their slices.
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
