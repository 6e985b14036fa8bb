// Audit's listings: jobs, inputs, outputs and events.

internal import GRDB

extension Ledger {
  public func jobs(_ filter: AuditFilter = .init()) throws -> [JobRow] {
    var rows: [JobRow] = try list(
      "v_jobs", filter, .jobs)
    if filter.redact { for index in rows.indices { rows[index].redact() } }
    return rows
  }

  /// One job with everything recorded of it.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func job(_ id: Int64, redact: Bool = false) throws -> JobDetail {
    guard let row = try jobs(.init(job: id, redact: redact)).first else {
      throw LedgerError(.notFound, subject: "job:\(id)", detail: "no such job, see the list of jobs")
    }
    let outputs = try outputs(.init(job: id, limit: -1, redact: redact)).sorted { $0.slice < $1.slice }
    return try read { db in
      let attempts = try Fetched<AttemptRow>.all(
        db, sql: "SELECT *, run_id AS run FROM attempts WHERE job_id = ? ORDER BY number", arguments: [id])
      let stored = try Row.fetchOne(db, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id])
      func document(_ column: String) -> JSONDocument? {
        (stored?[column] as String?).map { JSONDocument(text: $0) }
      }
      return JobDetail(
        job: row,
        normalization: .init(
          fixed: document("normalization_fixed_json"), moving: document("normalization_moving_json")),
        registration: document("registration_json"), interpolation: stored?["interpolation"],
        details: document("details_json"), attempts: attempts, outputs: outputs)
    }
  }

  public func inputs(_ filter: AuditFilter = .init()) throws -> [InputRow] {
    var rows: [InputRow] = try list(
      "v_inputs", filter, .inputs)
    if filter.redact { for index in rows.indices { rows[index].redact() } }
    return rows
  }

  public func outputs(_ filter: AuditFilter = .init()) throws -> [OutputRow] {
    var rows: [OutputRow] = try list(
      "v_outputs", filter, .outputs)
    if filter.redact { for index in rows.indices { rows[index].redact() } }
    return rows
  }

  /// Events, latest first. `state` narrows to a kind of event, such as `job.failed`.
  public func events(_ filter: AuditFilter = .init()) throws -> [EventRow] {
    let (sql, arguments) = try filter.query("v_events", .events)
    return try read { db in
      try Row.fetchAll(db, sql: sql, arguments: arguments).map(EventRow.init)
    }
  }

  /// Everything that happened to one subject, such as `job:17` or `instance:<UID>`, in order.
  public func events(subject: String) throws -> [EventRow] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM v_events WHERE subject = ? ORDER BY seq", arguments: [subject]
      ).map(EventRow.init)
    }
  }

  func list<Value: Decodable>(
    _ view: String, _ filter: AuditFilter, _ columns: AuditFilter.Columns
  ) throws -> [Value] {
    let (sql, arguments) = try filter.query(view, columns)
    return try read { try Fetched<Value>.all($0, sql: sql, arguments: arguments) }
  }
}

extension EventRow {
  init(_ row: Row) {
    self.init(
      seq: row["seq"], time: row["time"], kind: row["kind"], subject: row["subject"],
      payload: JSONDocument(text: row["payload"]), hash: row["hash"])
  }
}
