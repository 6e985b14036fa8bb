// The rows that audit questions answer with; their keys are the columns of the views in schema.sql.

/// A file seen at the door (`v_inputs`).
public struct InputRow: Codable, Hashable, Sendable {
  public var intake: Int64
  public var time: String
  public var state: IntakeOutcome
  public var reason: String?
  public var sentence: String?
  public var sop: String?
  public var series: String?
  public var study: String?
  public var modality: String?
  public var patient: String?
  public var sha256: String?
  public var size: Int64?
  public var path: String?
  public var run: Int64?
}
