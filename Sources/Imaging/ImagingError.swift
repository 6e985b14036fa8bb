// Why an operation on planes and volumes is refused – never about files or patients.

/// A refusal of this module; the caller knows which series or slice it concerns and adds that.
public struct ImagingError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: String, Sendable, Codable {
    /// Sixteen numbers that are not a rigid transform.
    case notRigid = "not-rigid"
    /// A volume or plane without a single finite value.
    case noFiniteValues = "no-finite-values"
    /// A volume whose values are all the same, or nearly: it has no contrast to normalise.
    case noContrast = "no-contrast"
    /// Limits, percentiles or widths in the wrong order or out of range.
    case badLimits = "bad-limits"
  }

  public let reason: Reason
  /// What is wrong, with the numbers that show it.
  public let detail: String
  /// What to do about it.
  public let hint: String

  public init(_ reason: Reason, _ detail: String, hint: String) {
    self.reason = reason
    self.detail = detail
    self.hint = hint
  }

  public var description: String { "\(detail); \(hint)" }
}
