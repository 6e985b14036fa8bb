// What can be wrong with a checkpoint, in words an operator can act on – nothing about our own weights files.

/// A refusal of a checkpoint file.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable code of what is wrong.
  public enum Reason: String, Sendable, Codable {
    case notZip = "not_a_torch_zip"
    case truncated = "checkpoint_truncated"
    case damaged = "checkpoint_damaged"
    case unsupported = "checkpoint_unsupported"
    case forbidden = "checkpoint_runs_code"
    case incomplete = "checkpoint_incomplete"
    case notFinite = "not_finite"
  }

  public let reason: Reason
  /// Path of the file.
  public let file: String
  /// What is wrong and what to do.
  public let detail: String

  public var description: String { "\(file): \(detail) [\(reason.rawValue)]" }

  func of(_ file: String) -> CheckpointError { CheckpointError(reason, file: file, detail) }

  init(_ reason: Reason, file: String = "", _ detail: String) {
    self.reason = reason
    self.file = file
    self.detail = detail
  }
}
