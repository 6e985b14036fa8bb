// Convolution layers on bordered maps: dense 1×1 and 3×3, directly or by Winograd.

internal import CKernels

/// y = act(conv(x)) + residual; axes `[image][channel][row][column]`, zero padding that keeps H × W.
///
/// A 3×3 of enough channels runs by Winograd's minimal filtering, others directly.
public struct Convolution: Sendable {
  public let inputs: Int
  public let outputs: Int
  let taps: Int
  private let filter: PackedFilter

  public init(_ parameters: ConvolutionParameters) {
    inputs = parameters.inputs
    outputs = parameters.outputs
    taps = parameters.taps
    filter =
      PackedFilter.winogradTile(parameters).map { PackedFilter(winograd: parameters, tile: $0) }
      ?? PackedFilter(direct: parameters)
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
      filter.border == nil || (activation == .identity && residual == nil),
      "composed convolutions stay linear")
    precondition(
      filter.tile == 0 || activation == .identity || activation == .relu, "Winograd ends in ReLU at most")
    withUnsafePointer(to: (x.view, y.view)) { maps in
      let x = pointer(to: maps, \.0), y = pointer(to: maps, \.1)
      residual.withPointer { residual in
        guard filter.tile > 0 else {
          return filter.withFilter { fk_convolve(x, y, $0, activation.code, residual) }
        }
        workspace.scope {
          let scratch = workspace.floats(fk_winograd_scratch(x, Int32(filter.tile), 0))
          filter.withFilter { fk_convolve_winograd(x, y, $0, activation.code, residual, scratch) }
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
