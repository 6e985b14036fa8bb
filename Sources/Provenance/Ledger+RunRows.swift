// Runs as rows of a listing (`v_runs`).

internal import GRDB

/// One process at work, and what it took in.
public struct RunRow: Codable, Hashable, Sendable {
  public var run: Int64
  public var command: String
  public var state: String
  public var started: String
  @Nullable public var finished: String?
  @Nullable public var software: String?
  @Nullable public var host: String?
  public var accepted: Int
  public var duplicate: Int
  public var skipped: Int
  public var rejected: Int
  public var attempts: Int
}

extension Ledger {
  /// Runs, newest first.
  /// - Throws: `LedgerError.Reason.query` for a part of the filter that runs do not answer to.
  public func runs(_ filter: AuditFilter = .init()) throws -> [RunRow] {
    let (sql, arguments) = try filter.query("v_runs", .runs)
    return try read { try Fetched<RunRow>.all($0, sql: sql, arguments: arguments) }
  }

  /// One run; nil stands for the last.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func run(_ id: Int64?) throws -> RunRow {
    var filter = AuditFilter(run: id)
    filter.limit = 1
    guard let row = try runs(filter).first else {
      throw LedgerError(
        .notFound, subject: id.map { "run:\($0)" } ?? "runs", detail: "no such run, see audit runs")
    }
    return row
  }
}
