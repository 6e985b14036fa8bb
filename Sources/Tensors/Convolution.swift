// Convolution layers on bordered maps: dense 1×1 and 3×3, directly or by Winograd.

internal import CKernels

/// y = act(conv(x)) + residual; axes `[image][channel][row][column]`, zero padding that keeps H × W.
///
/// A 3×3 of enough channels on maps whose sides are multiples of 4 runs by Winograd's F(4×4, 3×3), others directly.
public struct Convolution: Sendable {
  public let inputs: Int
  public let outputs: Int
  let taps: Int
  private let direct: PackedFilter
  private let winograd: PackedFilter?

  public init(_ parameters: ConvolutionParameters) {
    inputs = parameters.inputs
    outputs = parameters.outputs
    taps = parameters.taps
    direct = PackedFilter(direct: parameters)
    winograd = PackedFilter.isWinogradWorthwhile(parameters) ? PackedFilter(winograd: parameters) : nil
  }

  public func callAsFunction(
    _ x: FeatureMap, into y: FeatureMap, activation: Activation = .identity,
    adding residual: FeatureMap? = nil,
    workspace: Workspace
  ) {
    precondition(
      x.channels == inputs && y.channels == outputs,
      "\(x.channels)→\(y.channels) through \(inputs)→\(outputs)")
    precondition(x.images == y.images && x.height == y.height && x.width == y.width, "maps of one size")
    precondition(
      residual.map { $0.hasShape(of: y) && $0.view.stride == y.view.stride } ?? true, "residual like output")
    precondition(
      direct.border == nil || (activation == .identity && residual == nil),
      "composed convolutions stay linear")
    let isLinear = activation == .identity || activation == .relu
    withUnsafePointer(to: x.view) { x in
      withUnsafePointer(to: y.view) { y in
        residual.withPointer { residual in
          if let winograd, isLinear, x.pointee.fitsWinograd {
            workspace.scope {
              let scratch = workspace.floats(fk_winograd_scratch(x, 0))
              winograd.withFilter { fk_convolve_winograd(x, y, $0, activation.code, residual, scratch) }
            }
          } else {
            direct.withFilter { fk_convolve(x, y, $0, activation.code, residual) }
          }
        }
      }
    }
  }
}

extension FeatureMap? {
  func withPointer(_ body: (UnsafePointer<fk_map>?) -> Void) {
    if let self { withUnsafePointer(to: self.view) { body($0) } } else { body(nil) }
  }
}

extension fk_map {
  /// Whole tiles of 4 × 4 only.
  var fitsWinograd: Bool { width % 4 == 0 && height % 4 == 0 }
}

/// A convolution's weights in the order of one of the kernels.
struct PackedFilter: Sendable {
  private let taps: Int
  let inputs: Int
  let outputs: Int
  private let weights: [Float]
  private let bias: [Float]
  let border: [Float]?

  init(direct p: ConvolutionParameters) {
    (taps, inputs, outputs, bias, border) = (p.taps, p.inputs, p.outputs, p.bias, p.border)
    var packed = [Float](repeating: 0, count: p.weights.count)
    fk_pack(p.weights, Int32(outputs), Int32(inputs), Int32(taps), &packed)
    weights = packed
  }

  init(winograd p: ConvolutionParameters) {
    precondition(p.taps == 9, "Winograd's form is that of a 3×3")
    let padded = (p.outputs + 7) / 8 * 8
    (taps, inputs, outputs, border) = (36, p.inputs, p.outputs, p.border)
    var packed = [Float](repeating: 0, count: padded * inputs * 36),
      bias = [Float](repeating: 0, count: padded)
    fk_pack_winograd(p.weights, p.bias, Int32(outputs), Int32(inputs), &packed, &bias)
    weights = packed
    self.bias = bias
  }

  /// Below these numbers of channels the transforms cost more than the products saved.
  static func isWinogradWorthwhile(_ p: ConvolutionParameters) -> Bool {
    p.taps == 9 && p.inputs >= 8 && p.outputs >= 8
  }

  func withFilter(_ body: (UnsafePointer<fk_filter>) -> Void) {
    weights.withUnsafeBufferPointer { weights in
      bias.withUnsafeBufferPointer { bias in
        guard let weights = weights.baseAddress, let bias = bias.baseAddress else { return }
        var filter = fk_filter(
          taps: Int32(taps), inputs: Int32(inputs), outputs: Int32(outputs), weights: weights, bias: bias,
          border: nil)
        guard let border else { return body(&filter) }
        border.withUnsafeBufferPointer {
          filter.border = $0.baseAddress
          body(&filter)
        }
      }
    }
  }
}
