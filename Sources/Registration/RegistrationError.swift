// Why an image cannot be registered at all – a poor result is a verdict, not an error.

/// A refusal; the caller knows which series it concerns and adds that.
public struct RegistrationError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: String, Sendable, Codable {
    case tooFewSlices = "too_few_slices"
    case noContrast = "no_contrast"
  }

  public let reason: Reason
  /// What is wrong, to be read after the name of the series.
  public let detail: String

  init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  public var description: String { detail }
}
