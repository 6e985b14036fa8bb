// A complete set of BSAFusion weights, checked and brought into the form that the engine runs. Shared by all engines.

internal import Dispatch
public import Tensors

/// The network of one modality pair: encoder, modality transfer, alignment and fusion.
///
/// Layers are folded once here: 1×1 before 3×3 becomes one 3×3, convolutions of one input are joined.
public struct FusionModel: Sendable {
  private let weights: Weights

  let encoder: Encoder
  let transfer: ModalityTransfer
  let alignment: StepwiseAlignment
  let decoder: FusionDecoder

  /// Checks name and shape of all 466 tensors, then reads those that are used.
  ///
  /// Branches whose last layer is zero add nothing: they are neither read nor computed, unless `keepingIdleBranches` asks
  /// for them because a trace shall show what goes on inside.
  ///
  /// Throws `WeightsError` naming the tensor that is missing, has another shape, or holds NaN or infinity.
  public init(weights: Weights, keepingIdleBranches: Bool = false) throws(WeightsError) {
    self.weights = weights
    for parameter in ParameterTable.all { try weights.check(parameter.name, shape: parameter.shape) }
    let reader = ParameterReader(weights: weights, keepsIdle: keepingIdleBranches)
    // Independent parts: side by side, for a program that fuses a single pair waits for this.
    let parts = LoadedParts()
    DispatchQueue.concurrentPerform(iterations: 4) { parts.load($0, from: reader) }
    guard let transfer = parts.transfer, let alignment = parts.alignment, let decoder = parts.decoder,
      let encoder = parts.encoder
    else { preconditionFailure("every part was made or refused") }
    self.encoder = try encoder.get()
    self.transfer = try transfer.get()
    self.alignment = try alignment.get()
    self.decoder = try decoder.get()
    weights.releasePages()
  }

  /// Path of the weights file.
  public var path: String { weights.path }
  /// SHA-256 of its bytes; whoever asks waits for it.
  public var sha256: String { weights.sha256 }
  /// Number of parameters in the file.
  public var parameterCount: Int { weights.parameterCount }
}

/// The network's parts as several threads make them, the longest first.
///
/// `@unchecked`: each part is written once, by the one who makes it, and read when all are done.
private final class LoadedParts: @unchecked Sendable {
  private(set) var transfer: Result<ModalityTransfer, WeightsError>?
  private(set) var alignment: Result<StepwiseAlignment, WeightsError>?
  private(set) var decoder: Result<FusionDecoder, WeightsError>?
  private(set) var encoder: Result<Encoder, WeightsError>?

  func load(_ part: Int, from reader: ParameterReader) {
    switch part {
    case 0: decoder = Result { () throws(WeightsError) in try FusionDecoder(from: reader) }
    case 1: alignment = Result { () throws(WeightsError) in try StepwiseAlignment(from: reader) }
    case 2: transfer = Result { () throws(WeightsError) in try ModalityTransfer(from: reader) }
    default: encoder = Result { () throws(WeightsError) in try Encoder(from: reader) }
    }
  }
}
