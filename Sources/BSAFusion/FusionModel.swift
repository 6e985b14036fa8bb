// A complete set of BSAFusion weights, checked and brought into the form that the engine runs. Shared by all engines.

public import Tensors

/// The network of one modality pair: encoder, modality transfer, alignment and fusion.
///
/// Layers are folded once here: 1×1 before 3×3 becomes one 3×3, convolutions of one input are joined.
public struct FusionModel: Sendable {
  /// Path of the weights file and SHA-256 of its bytes.
  public let path: String
  public let sha256: String
  /// Number of parameters in the file.
  public let parameterCount: Int

  let encoder: Encoder
  let transfer: ModalityTransfer
  let alignment: StepwiseAlignment
  let decoder: FusionDecoder

  /// Checks name and shape of all 466 tensors, then reads those that are used.
  ///
  /// Throws `WeightsError` naming the tensor that is missing, has another shape, or holds NaN or infinity.
  public init(weights: Weights) throws(WeightsError) {
    path = weights.path
    sha256 = weights.sha256
    parameterCount = weights.parameterCount
    for parameter in ParameterTable.all { try weights.check(parameter.name, shape: parameter.shape) }
    let reader = ParameterReader(weights: weights)
    encoder = try Encoder(from: reader)
    transfer = try ModalityTransfer(from: reader)
    alignment = try StepwiseAlignment(from: reader)
    decoder = try FusionDecoder(from: reader)
    weights.releasePages()
  }
}
