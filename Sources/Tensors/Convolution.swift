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
      PackedFilter.winogradTile(parameters).map {
        PackedFilter(winograd: parameters, tile: $0, compact: true)
      } ?? PackedFilter(direct: parameters)
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
    let products = y.images * y.channels * y.height * y.width * inputs * taps
    LayerMaps(input: x, output: y, residual: residual).run(
      products: products, scratch: scratch, workspace: workspace
    ) { maps, scratch in
      maps.withPointers { x, y, residual in
        filter.withFilter {
          if filter.tile > 0 {
            fk_convolve_winograd(x, y, $0, activation.code, residual, scratch)
          } else {
            fk_convolve(x, y, $0, activation.code, residual)
          }
        }
      }
    }
  }

  private func scratch(_ x: FeatureMap) -> Int {
    guard filter.tile > 0 else { return 0 }
    return withUnsafePointer(to: x.view) { fk_winograd_scratch($0, Int32(filter.tile), Int32(outputs), 0) }
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
