// Everything made with one model, in numbers: the question when a model turns out to be bad.

internal import GRDB

/// A model and what was made with it.
public struct ModelAccount: Codable, Hashable, Sendable {
  /// What came of one kind of pair.
  public struct Kind: Codable, Hashable, Sendable {
    public var kind: String
    public var state: JobState
    public var jobs: Int
    public var outputs: Int
    /// Of the outputs, those fused without deformation.
    public var undeformed: Int
    @Nullable public var meanMM: Double?
    @Nullable public var maxMM: Double?

    enum CodingKeys: String, CodingKey {
      case kind, state, jobs, outputs, undeformed
      case meanMM = "mean_mm"
      case maxMM = "max_mm"
    }
  }

  public var name: String
  public var sha256: String
  public var path: String
  public var parameters: Int
  public var registered: String
  @Nullable public var firstPublished: String?
  @Nullable public var lastPublished: String?
  public var kinds: [Kind]

  enum CodingKeys: String, CodingKey {
    case name, sha256, path, parameters, registered, kinds
    case firstPublished = "first_published"
    case lastPublished = "last_published"
  }
}

extension Ledger {
  /// The models of a name, or of at least six first digits of a SHA-256, latest first, with what each made.
  public func models(_ asked: String) throws -> [ModelAccount] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT mo.*, min(t.first_published) AS first, max(t.last_published) AS last FROM models mo
          LEFT JOIN jobs j ON j.model_id = mo.id LEFT JOIN job_totals t ON t.job_id = j.id
          WHERE mo.name = :asked OR (length(:asked) >= 6 AND substr(mo.sha256, 1, length(:asked)) = lower(:asked))
          GROUP BY mo.id ORDER BY mo.id DESC
          """, arguments: ["asked": asked])
      return try rows.map { row in
        ModelAccount(
          name: row["name"], sha256: row["sha256"], path: row["path"], parameters: row["parameters"],
          registered: row["registered"], firstPublished: row["first"], lastPublished: row["last"],
          kinds: try Fetched<ModelAccount.Kind>.all(db, sql: Self.kindsSQL, arguments: [row["id"] as Int64]))
      }
    }
  }

  private static let kindsSQL = """
    SELECT pa.kind, j.state, count(*) AS jobs, coalesce(sum(t.slices), 0) AS outputs,
      coalesce(sum(t.undeformed), 0) AS undeformed, sum(t.deformation_sum) / nullif(sum(t.deformed), 0) AS mean_mm,
      max(t.deformation_max) AS max_mm
    FROM jobs j JOIN pairs pa ON pa.id = j.pair_id LEFT JOIN job_totals t ON t.job_id = j.id WHERE j.model_id = ?
    GROUP BY pa.kind, j.state ORDER BY pa.kind, j.state
    """
}
