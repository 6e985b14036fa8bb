// What can be wrong with a file of tensors, in words an operator can act on.

/// A refusal of a weights file, or of one tensor in it.
public struct WeightsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable code of what is wrong.
  public enum Reason: String, Sendable, Codable {
    case unreadable = "weights_unreadable"
    case unwritable = "tensors_unwritable"
    case notSafetensors = "not_safetensors"
    case truncated = "weights_truncated"
    case damaged = "weights_damaged"
    case unsupportedType = "unsupported_dtype"
    case missingTensor = "missing_tensor"
    case wrongShape = "wrong_shape"
    case notFinite = "not_finite"
  }

  public let reason: Reason
  /// Path of the file.
  public let file: String
  /// Name of the tensor, where one is to blame.
  public let tensor: String?
  /// What is wrong and what to do.
  public let detail: String

  public init(_ reason: Reason, file: String, tensor: String? = nil, detail: String) {
    self.reason = reason
    self.file = file
    self.tensor = tensor
    self.detail = detail
  }

  public var description: String {
    let subject = tensor.map { "\(file), tensor \($0)" } ?? file
    return "\(subject): \(detail) [\(reason.rawValue)]"
  }
}
