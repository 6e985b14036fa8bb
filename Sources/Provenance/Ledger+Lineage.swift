// How lineage is read from the ledger: by SOP Instance UID, Series Instance UID or Study Instance UID.

internal import GRDB

extension Ledger {
  /// The lineage of an output, an input, a series or a study; nil for a UID the ledger has never seen.
  public func lineage(_ uid: String) throws -> Lineage? {
    try read { db in
      if let output = try Self.outputLineage(db, uid) { return .output(output) }
      if let input = try Self.inputLineage(db, uid) { return .input(input) }
      return try Self.groupLineage(db, uid).map { .group($0) }
    }
  }

  static func outputLineage(_ db: Database, _ uid: String) throws -> OutputLineage? {
    guard
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT o.sop_uid, o.path, o.sha256, s.*, s.reason AS slice_reason, s.seconds AS slice_seconds, j.*,
            j.id AS job, j.state AS job_state, mo.name AS model, mo.sha256 AS model_sha256,
            se.sha256 AS settings_sha256, so.version, so.blas, so.host, so.kernels,
            (SELECT max(i.received) FROM slice_inputs x JOIN instances i ON i.id = x.instance_id
             WHERE x.slice_id = s.id) AS received
          FROM outputs o JOIN slices s ON s.id = o.slice_id JOIN jobs j ON j.id = s.job_id
          JOIN settings se ON se.id = j.settings_id JOIN software so ON so.id = j.software_id
          LEFT JOIN models mo ON mo.id = j.model_id WHERE o.sop_uid = ?
          """, arguments: [uid])
    else { return nil }
    return try lineage(row, inputs: inputs(db, ofOutput: uid), neighbours: neighbours(db, ofOutput: uid))
  }

  private static func inputs(_ db: Database, ofOutput uid: String) throws -> [OutputLineage.Input] {
    try Fetched<OutputLineage.Input>.all(
      db,
      sql: """
        SELECT input AS sop, input_series AS series, role, input_sha256 AS sha256, input_path AS path,
          nullif(frame, 0) AS frame
        FROM v_lineage WHERE output = ? ORDER BY role, instance_id, frame
        """, arguments: [uid])
  }

  /// As the event that announced the output says.
  private static func neighbours(_ db: Database, ofOutput uid: String) throws -> [OutputLineage.Neighbour] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT n.value, p.sop_uid FROM outputs o JOIN slices s ON s.id = o.slice_id JOIN events e ON e.seq = s.event
        JOIN json_each(e.payload, '$.neighbours') n LEFT JOIN slices t ON t.job_id = s.job_id AND t.idx = n.value
        LEFT JOIN outputs p ON p.slice_id = t.id WHERE o.sop_uid = ? ORDER BY n.value
        """, arguments: [uid]
    ).map { row in
      let output: String? = row[1]
      return .init(
        slice: row[0], output: output, inputs: try output.map { try inputs(db, ofOutput: $0) } ?? [])
    }
  }

  private static func lineage(
    _ row: Row, inputs: [OutputLineage.Input], neighbours: [OutputLineage.Neighbour]
  ) throws -> OutputLineage {
    func document(_ column: String) -> JSONDocument? {
      (row[column] as String?).map { JSONDocument(text: $0) }
    }
    return OutputLineage(
      output: .init(
        sop: row["sop_uid"], path: row["path"], sha256: row["sha256"], job: row["job"],
        series: row["output_series_uid"], slice: row["idx"], state: try state(row["job_state"])),
      inputs: inputs, neighbours: neighbours,
      model: (row["model"] as String?).map { .init(name: $0, sha256: row["model_sha256"]) },
      settings: .init(sha256: row["settings_sha256"]),
      software: .init(version: row["version"], blas: row["blas"], host: row["host"], kernels: row["kernels"]),
      normalization: .init(
        fixed: document("normalization_fixed_json"), moving: document("normalization_moving_json")),
      registration: document("registration_json"), interpolation: row["interpolation"],
      deformation: .init(
        meanMM: row["deformation_mean"], maxMM: row["deformation_max"], meanPX: row["deformation_mean_px"],
        maxPX: row["deformation_max_px"], folding: row["folding"], accepted: row["accepted"],
        reason: row["slice_reason"]),
      similarity: .init(
        measure: row["similarity_measure"], before: row["similarity_before"], after: row["similarity_after"]),
      times: .init(
        received: row["received"], opened: row["opened"], started: row["started"],
        published: row["published"],
        finished: row["finished"], seconds: row["slice_seconds"]))
  }

  private static func state(_ text: String) throws -> JobState {
    guard let state = JobState(rawValue: text) else {
      throw LedgerError(.damaged, subject: "jobs", detail: "a job has the unknown state \(text)")
    }
    return state
  }

  private static func inputLineage(_ db: Database, _ uid: String) throws -> InputLineage? {
    // What was accepted comes before what was refused, the latest first.
    let input = try Fetched<InputLineage.Input>.one(
      db,
      sql: """
        SELECT sop, series, study, modality, sha256, path, state, reason, time FROM v_inputs
        WHERE intake IN (SELECT id FROM intake WHERE sop_uid = ?)
        ORDER BY state <> 'accepted', intake DESC LIMIT 1
        """, arguments: [uid])
    guard let input else { return nil }
    let outputs = try Fetched<InputLineage.Output>.all(
      db,
      sql: """
        SELECT o.sop_uid AS sop, o.path, o.sha256, j.id AS job, j.output_series_uid AS series, s.idx AS slice,
          j.state, x.role
        FROM instances i JOIN slice_inputs x ON x.instance_id = i.id JOIN slices s ON s.id = x.slice_id
        JOIN outputs o ON o.slice_id = s.id JOIN jobs j ON j.id = s.job_id
        WHERE i.sop_uid = ? GROUP BY o.id, x.role ORDER BY o.id, x.role
        """, arguments: [uid])
    // A registration object is an input of all slices of a job anyway. What each slice averaged is read once, however many
    // slices the image is an input of.
    let neighbourOf = try Fetched<InputLineage.Output>.all(
      db,
      sql: """
        WITH read AS MATERIALIZED (
          SELECT t.job_id, t.idx, x.role
          FROM instances i JOIN slice_inputs x ON x.instance_id = i.id JOIN slices t ON t.id = x.slice_id
          WHERE i.sop_uid = ? AND x.role <> 'registration'),
        averaged AS MATERIALIZED (
          SELECT s.id, s.job_id, s.idx, n.value AS neighbour
          FROM slices s JOIN events e ON e.seq = s.event JOIN json_each(e.payload, '$.neighbours') n
          WHERE s.job_id IN (SELECT job_id FROM read))
        SELECT o.sop_uid AS sop, o.path, o.sha256, j.id AS job, j.output_series_uid AS series, a.idx AS slice,
          j.state, r.role
        FROM averaged a JOIN read r ON r.job_id = a.job_id AND r.idx = a.neighbour
        JOIN outputs o ON o.slice_id = a.id JOIN jobs j ON j.id = a.job_id
        GROUP BY o.id, r.role ORDER BY o.id, r.role
        """, arguments: [uid])
    return InputLineage(input: input, outputs: outputs, neighbourOf: neighbourOf)
  }

  private static func groupLineage(_ db: Database, _ uid: String) throws -> GroupLineage? {
    let columns = [("fixed", "fixed"), ("moving", "moving"), ("series", "output"), ("study", "study")]
    let known =
      try Bool.fetchOne(
        db,
        sql:
          "SELECT EXISTS (SELECT 1 FROM series WHERE uid = :uid) OR EXISTS (SELECT 1 FROM studies WHERE uid = :uid)",
        arguments: ["uid": uid]) ?? false
    var roles: [String] = []
    var jobs: [JobRow] = []
    for (column, role) in columns {
      let found = try Fetched<JobRow>.all(
        db, sql: "SELECT * FROM v_jobs WHERE \(column) = ? ORDER BY job", arguments: [uid])
      if !found.isEmpty { roles.append(role) }
      jobs += found
    }
    if !known && jobs.isEmpty {
      jobs = try Fetched<JobRow>.all(
        db,
        sql: """
          SELECT * FROM v_jobs WHERE job IN (SELECT id FROM jobs
            WHERE registration_json ->> '$.output.sop' = :uid OR registration_json ->> '$.output.series' = :uid)
          ORDER BY job
          """, arguments: ["uid": uid])
      if !jobs.isEmpty { roles.append("registration") }
    }
    guard known || !jobs.isEmpty else { return nil }
    let outputs = try jobs.flatMap { job in
      try Fetched<OutputRow>.all(
        db, sql: "SELECT * FROM v_outputs WHERE job = ? ORDER BY slice", arguments: [job.job])
    }
    return GroupLineage(uid: uid, roles: roles, jobs: jobs, outputs: outputs)
  }
}
