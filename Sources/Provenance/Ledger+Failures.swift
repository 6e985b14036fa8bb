// What failed or was refused: counted by reason, and case by case.

internal import GRDB

extension Ledger {
  /// The parts of `v_failures`. Each is asked by itself, so that its indexes give the latest cases and the counts.
  private static let branches = ["v_failed_jobs", "v_refused_files", "v_rejected_series"]

  /// What can be counted of refused files without looking at their rows, of which there may be very many.
  private static let refusedFiles = """
    (SELECT 'file' AS what, 'rejected' AS state, reason, time FROM intake INDEXED BY intake_rejected
      WHERE outcome = 'rejected')
    """

  /// What failed or was rejected. The counts cover everything the filter lets through, not only the page.
  public func failures(_ filter: AuditFilter = .init()) throws -> Failures {
    try read { db in
      var cases = try Self.cases(db, filter)
      if filter.redact { for index in cases.indices { cases[index].redact() } }
      return Failures(counts: try Self.counts(db, filter), cases: cases)
    }
  }

  private static func cases(_ db: Database, _ filter: AuditFilter) throws -> [FailureRow] {
    var first = filter
    first.offset = 0
    first.limit = filter.limit < 0 ? -1 : filter.limit + filter.offset
    let rows = try branches.flatMap { view in
      let (sql, arguments) = try first.query(view, .failures)
      return try Fetched<FailureRow>.all(db, sql: sql, arguments: arguments)
    }
    let ordered = rows.sorted { ($1.time, $0.subject) < ($0.time, $1.subject) }
    let page = ordered.dropFirst(filter.offset)
    return Array(filter.limit < 0 ? page : page.prefix(filter.limit))
  }

  /// Most frequent first.
  private static func counts(_ db: Database, _ filter: AuditFilter) throws -> [FailureCount] {
    let (clause, values) = try filter.clause(.failures)
    var counts: [FailureCount] = []
    let asksForTime = [filter.patient, filter.study, filter.modality, filter.model].allSatisfy { $0 == nil }
    for view in branches {
      let rows = view == "v_refused_files" && asksForTime && filter.job == nil ? refusedFiles : view
      let found = try Fetched<FailureCount>.all(
        db,
        sql: """
          SELECT what, state, reason, count(*) AS count, max(time) AS latest, NULL AS sentence FROM \(rows) \(clause)
          GROUP BY what, state, reason
          """, arguments: StatementArguments(values))
      counts += try found.map { count in
        var count = count
        count.sentence = try String.fetchOne(
          db, sql: "SELECT sentence FROM \(view) WHERE time = ? AND state = ? AND reason = ? LIMIT 1",
          arguments: [count.latest, count.state, count.reason])
        return count
      }
    }
    return counts.sorted {
      ($1.count, $0.what, $0.state, $0.reason) < ($0.count, $1.what, $1.state, $1.reason)
    }
  }
}
