// Convolution layers on bordered maps: dense 1×1 and 3×3, directly or by Winograd.

internal import CKernels

/// y = act(conv(x)) + residual; axes `[image][channel][row][column]`, zero padding that keeps H × W.
///
/// A 3×3 of enough channels on maps made of whole tiles runs by Winograd's minimal filtering, others directly.
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
    winograd = PackedFilter.winogradTile(parameters).map { PackedFilter(winograd: parameters, tile: $0) }
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
          if let winograd, isLinear, x.pointee.isWhole(tiles: winograd.tile) {
            workspace.scope {
              let scratch = workspace.floats(fk_winograd_scratch(x, Int32(winograd.tile), 0))
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
  /// Whether a plane is made of whole tiles of this side.
  func isWhole(tiles side: Int) -> Bool { Int(width) % side == 0 && Int(height) % side == 0 }
}

/// A convolution's weights in the order of one of the kernels.
struct PackedFilter: Sendable {
  private let taps: Int
  /// Side of Winograd's tiles, 0 for a direct filter.
  let tile: Int
  let inputs: Int
  let outputs: Int
  private let weights: [Float]
  private let bias: [Float]
  let border: [Float]?

  init(direct p: ConvolutionParameters) {
    (taps, inputs, outputs, bias, border) = (p.taps, p.inputs, p.outputs, p.bias, p.border)
    tile = 0
    var packed = [Float](repeating: 0, count: p.weights.count)
    fk_pack(p.weights, Int32(outputs), Int32(inputs), Int32(taps), &packed)
    weights = packed
  }

  init(winograd p: ConvolutionParameters, tile: Int) {
    precondition(p.taps == 9, "Winograd's form is that of a 3×3")
    let padded = (p.outputs + 7) / 8 * 8, points = (tile + 2) * (tile + 2), count = padded * p.inputs * points
    (taps, inputs, outputs, border) = (points, p.inputs, p.outputs, p.border)
    self.tile = tile
    var bias = [Float](repeating: 0, count: padded)
    weights = [Float](unsafeUninitializedCapacity: count) { packed, initialized in
      if let start = packed.baseAddress {
        fk_pack_winograd(p.weights, p.bias, Int32(p.outputs), Int32(p.inputs), Int32(tile), start, &bias)
      }
      initialized = count
    }
    self.bias = bias
  }

  /// Side of the tiles that serve a convolution best, nil where the transforms cost more than the products saved.
  ///
  /// Tiles of 4 save most products but quadruple the weights; very many channels take tiles of 2.
  static func winogradTile(_ p: ConvolutionParameters) -> Int? {
    guard p.taps == 9, p.inputs >= 8, p.outputs >= 8 else { return nil }
    return p.inputs >= 256 ? 2 : 4
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
