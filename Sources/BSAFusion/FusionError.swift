// What an engine refuses, in words.

/// A refusal of a side or of images; the model's own errors are `WeightsError`, and `unusableModel` where a pass finds them.
public struct FusionError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: String, Sendable, Codable {
    case unsupportedSide = "unsupported_side"
    case wrongPlaneSize = "wrong_plane_size"
    case notFinite = "not_finite"
    case unusableModel = "unusable_model"
  }

  public let reason: Reason
  /// What is wrong and what to do.
  public let detail: String

  init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  public var description: String { "\(detail) [\(reason.rawValue)]" }
}
