// What narrows an audit question down, and how it becomes SQL. All values are bound, never pasted.

public import Foundation
internal import GRDB

/// Narrows a listing down; nil means all. Listings are newest first.
public struct AuditFilter: Hashable, Sendable {
  /// From this moment on.
  public var since: Date?
  /// Before this moment.
  public var until: Date?
  /// Patient ID, exactly.
  public var patient: String?
  /// Study Instance UID.
  public var study: String?
  /// Modality of the file, or of either series of a job.
  public var modality: String?
  public var state: String?
  /// Name of a model, or at least six digits of its SHA-256.
  public var model: String?
  public var run: Int64?
  public var job: Int64?
  public var limit: Int
  public var offset: Int
  /// Leaves Patient IDs out of the answer.
  public var redact: Bool

  public init(
    since: Date? = nil, until: Date? = nil, patient: String? = nil, study: String? = nil,
    modality: String? = nil, state: String? = nil, model: String? = nil, run: Int64? = nil,
    job: Int64? = nil, limit: Int = 1000, offset: Int = 0, redact: Bool = false
  ) {
    self.since = since
    self.until = until
    self.patient = patient
    self.study = study
    self.modality = modality
    self.state = state
    self.model = model
    self.run = run
    self.job = job
    self.limit = limit
    self.offset = offset
    self.redact = redact
  }

  /// Which columns of a view answer to the filter, and for those with a condition of their own, which. A part the
  /// view has nothing for is refused, so that a filter is never silently ignored.
  struct Columns {
    var time: String
    var state: String?
    var modalities: [String] = []
    var patient: String?
    var study: String?
    var model: Bool = false
    /// Conditions over `:patient`, `:study`, `:run` and `:job`.
    var run: String?
    var job: String?
    /// Stable, and such that an index gives it: a page costs what is on it, not what is in the ledger.
    var order: String
    /// The order where the filter names a moment; nil: the same.
    var timedOrder: String?
    /// Conditions that follow from the others and lead the query over jobs instead of over slices: one for a filter
    /// without patient, study and job, and those for `:since` and `:until`.
    var scope: String?
    var sinceScope: String?
    var untilScope: String?
  }

  typealias Values = [String: (any DatabaseValueConvertible)?]

  /// `SELECT * FROM view` with this filter.
  /// - Throws: `LedgerError.Reason.query` for a part that this listing cannot be narrowed by.
  func query(_ view: String, _ columns: Columns) throws -> (sql: String, arguments: StatementArguments) {
    var (clause, values) = try clause(columns)
    let order = since == nil && until == nil ? columns.order : columns.timedOrder ?? columns.order
    values["limit"] = limit
    values["offset"] = offset
    return (
      "SELECT * FROM \(view) \(clause) ORDER BY \(order) LIMIT :limit OFFSET :offset",
      StatementArguments(values)
    )
  }

  /// The WHERE clause of this filter, empty where it lets everything through, and the values it binds.
  /// - Throws: `LedgerError.Reason.query` for a part that this listing cannot be narrowed by.
  func clause(_ columns: Columns) throws -> (sql: String, values: Values) {
    var parts: [String] = []
    var values: Values = [:]
    func narrow(_ name: String, _ value: (any DatabaseValueConvertible)?, _ condition: String?) throws {
      guard let value else { return }
      guard let condition else {
        throw LedgerError(
          .query, subject: name, detail: "this listing cannot be narrowed by \(name), leave it out")
      }
      parts.append(condition)
      values[name] = value
    }
    if patient == nil, study == nil, job == nil, let scope = columns.scope { parts.append(scope) }
    if since != nil, let scope = columns.sinceScope { parts.append(scope) }
    if until != nil, let scope = columns.untilScope { parts.append(scope) }
    try narrow("since", since.map(Timestamp.text), "\(columns.time) >= :since")
    try narrow("until", until.map(Timestamp.text), "\(columns.time) < :until")
    try narrow("patient", patient, columns.patient)
    try narrow("study", study, columns.study)
    let modalities = columns.modalities.joined(separator: ", ")
    try narrow("modality", modality, modalities.isEmpty ? nil : ":modality IN (\(modalities))")
    try narrow("state", state, columns.state.map { "\($0) = :state" })
    try narrow("run", run, columns.run)
    try narrow("job", job, columns.job)
    try narrow("model", model, columns.model ? "model_id IN (\(Self.models))" : nil)
    return (parts.isEmpty ? "" : "WHERE " + parts.joined(separator: " AND "), values)
  }

  /// A shorter piece of a digest could be the name of a model.
  private static let models = """
    SELECT id FROM models
    WHERE name = :model OR (length(:model) >= 6 AND substr(sha256, 1, length(:model)) = lower(:model))
    """
}
