// The gated feed-forward of a Restormer block, fused: what it expands to never leaves the cache.

internal import CKernels

/// y = residual + projection(GELU(g) ⊙ h) with g, h = the two 3×3 expansions of u; nothing expanded is stored.
public struct GatedFeedForward: Sendable {
  /// Fewest channels for which Winograd's form of the expansion pays.
  static let fewestWinogradChannels = 3

  /// In runs of eight: one order for the direct kernel and for Winograd's.
  private let expansion: PackedFilter
  private let usesWinograd: Bool
  private let projection: PackedFilter

  /// `gate`, `value`: C → 4C, 3×3. `projection`: 4C → C, 1×1.
  public init(gate: ConvolutionParameters, value: ConvolutionParameters, projection: ConvolutionParameters) {
    precondition(gate.outputs == value.outputs && gate.outputs % 4 == 0, "two expansions of one size")
    precondition(
      projection.inputs == gate.outputs && projection.taps == 1, "the projection takes the product")
    // Runs of eight outputs are four of the gate and the four values they gate.
    let values = gate.outputs
    let runs = stride(from: 0, to: values, by: 4).flatMap { first -> [Int] in
      let four = Array(first..<first + 4)
      return four + four.map { $0 + values }
    }
    let both = ConvolutionParameters.joined([gate, value]).selecting(runs)
    expansion = PackedFilter(winograd: both, tile: 4, compact: false)
    usesWinograd = gate.inputs >= Self.fewestWinogradChannels
    self.projection = PackedFilter(direct: projection)
  }

  public func callAsFunction(
    _ u: FeatureMap, into y: FeatureMap, adding residual: FeatureMap, workspace: Workspace
  ) {
    precondition(u.channels == expansion.inputs && y.channels == projection.outputs, "C channels in and out")
    precondition(u.images == y.images && u.height == y.height && u.width == y.width, "maps of one size")
    precondition(y.hasShape(of: residual) && y.view.stride == residual.view.stride, "residual like output")
    let winograd = usesWinograd && u.view.isWhole(tiles: 4)
    let products = u.images * u.height * u.width * (9 * u.channels + y.channels / 2) * expansion.outputs
    LayerMaps(input: u, output: y, residual: residual).run(
      products: products, scratch: { scratch($0, winograd) }, workspace: workspace
    ) { maps, scratch in
      maps.withPointers { u, y, residual in
        guard let residual else { preconditionFailure("a gate always adds") }
        projection.withFilter { projection in
          expansion.withFilter(directly: !winograd) {
            let kernel = winograd ? fk_gate_winograd : fk_gate
            kernel(u, y, $0, projection, residual, scratch)
          }
        }
      }
    }
  }

  private func scratch(_ u: FeatureMap, _ winograd: Bool) -> Int {
    guard winograd else { return fk_gate_scratch(Int32(expansion.outputs)) }
    let hidden = Int32(projection.inputs), outputs = Int32(expansion.outputs)
    return withUnsafePointer(to: u.view) { fk_winograd_scratch($0, 4, outputs, hidden) }
  }

  /// The expansions of one image before the gate, for traces: 8C channels; those of the gate come first.
  public func expansions(of u: FeatureMap, workspace: Workspace) -> (gate: [FeatureMap], value: [FeatureMap])
  {
    precondition(u.images == 1 && u.channels == expansion.inputs, "one image of C channels")
    let all = workspace.map(channels: expansion.outputs, height: u.height, width: u.width)
    withUnsafePointer(to: (u.view, all.view)) { maps in
      expansion.withFilter(directly: true) {
        fk_convolve(pointer(to: maps, \.0), pointer(to: maps, \.1), $0, fk_identity, nil)
      }
    }
    let runs = stride(from: 0, to: expansion.outputs, by: 8).map { $0 }
    return (runs.map { all.channels($0..<$0 + 4) }, runs.map { all.channels($0 + 4..<$0 + 8) })
  }
}
