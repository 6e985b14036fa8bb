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
  private let noises: [String: Double]
  private let later: LaterParts

  /// Checks name and shape of all 466 tensors, then reads those that are used.
  ///
  /// Branches whose last layer is zero add nothing: they are neither read nor computed, unless `keepingIdleBranches` asks
  /// for them because a trace shall show what goes on inside.
  ///
  /// - Parameter waiting: whether all is read when this returns. Else another thread goes on reading what a pass needs
  ///   last, and a pass waits for it: for a program that fuses a single pair. `complete` says whether it could be read.
  ///
  /// Throws `WeightsError` naming the tensor that is missing, has another shape, or holds NaN or infinity.
  public init(
    weights: Weights, keepingIdleBranches: Bool = false, waiting: Bool = true
  ) throws(WeightsError) {
    self.weights = weights
    for parameter in ParameterTable.all { try weights.check(parameter.name, shape: parameter.shape) }
    noises = try Damping.noises(from: weights)
    let levels = try GreyLevels(from: weights)
    let reader = ParameterReader(weights: weights, keepsIdle: keepingIdleBranches)
    encoder = try Encoder(from: reader)
    later = LaterParts(from: reader, affine: encoder.affine, levels: levels)
    transfer = try ModalityTransfer(from: reader, affine: encoder.affine)
    if waiting { try complete() }
  }

  /// Waits until all of the weights are read.
  ///
  /// Throws `WeightsError` as `init`.
  public func complete() throws(WeightsError) {
    _ = try later.alignment.get()
    _ = try later.decoder.get()
  }

  /// Of every flow for a moving image of this modality, where the file says so.
  func damping(modality: String?) -> Damping? {
    (modality.flatMap { noises[$0] } ?? noises[""]).flatMap { Damping(noise: $0) }
  }

  /// Throws `unusableModel` where it cannot be read.
  func alignment() throws(FusionError) -> StepwiseAlignment { try Self.usable(later.alignment) }
  /// Throws `unusableModel` where it cannot be read.
  func decoder() throws(FusionError) -> FusionDecoder { try Self.usable(later.decoder) }

  private static func usable<Part>(_ part: Awaited<Part>) throws(FusionError) -> Part {
    do { return try part.get() } catch { throw FusionError(.unusableModel, error.description) }
  }

  /// Path of the weights file.
  public var path: String { weights.path }
  /// SHA-256 of its bytes; whoever asks waits for it.
  public var sha256: String { weights.sha256 }
  /// Number of parameters in the file.
  public var parameterCount: Int { weights.parameterCount }
}

/// What a pass needs last, read by another thread in the order it is needed.
private struct LaterParts: Sendable {
  let alignment = Awaited<StepwiseAlignment>()
  let decoder = Awaited<FusionDecoder>()

  init(from reader: ParameterReader, affine: AffineFeatures?, levels: GreyLevels?) {
    EngineMemory.queue.async { [alignment, decoder] in
      alignment.make { () throws(WeightsError) in try StepwiseAlignment(from: reader) }
      decoder.make { () throws(WeightsError) in
        try FusionDecoder(from: reader, affine: affine, levels: levels)
      }
      reader.weights.releasePages()
    }
  }
}

/// A part that one thread makes, once, and others wait for.
///
/// `@unchecked`: the result is written before `done` is left and read after it was waited for.
private final class Awaited<Part: Sendable>: @unchecked Sendable {
  private let done = DispatchGroup()
  private var result: Result<Part, WeightsError>?

  init() { done.enter() }

  func make(_ body: () throws(WeightsError) -> Part) {
    result = Result(catching: body)
    done.leave()
  }

  func get() throws(WeightsError) -> Part {
    done.wait()
    guard let result else { preconditionFailure("left before it was made") }
    return try result.get()
  }
}
