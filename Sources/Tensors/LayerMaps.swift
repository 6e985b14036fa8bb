// The maps of one layer, and how its work is divided between two threads.

internal import CKernels

/// What a layer reads and writes; all maps of one size.
struct LayerMaps {
  let input: FeatureMap
  let output: FeatureMap
  /// Added to the output, laid out as it is.
  let residual: FeatureMap?

  /// Rows of a part are whole rows of tiles, so that every tile is the same with one thread and with two.
  private static let tile = 4

  /// Runs `layer` on the whole, or on one half here and on the other on the workspace's second thread where it has one and
  /// the layer is large enough.
  ///
  /// - Parameters:
  ///   - products: multiplications of the whole.
  ///   - scratch: floats that the layer works in for such an input.
  func run(
    products: Int, scratch: (FeatureMap) -> Int, workspace: Workspace,
    _ layer: @escaping (LayerMaps, UnsafeMutablePointer<Float>) -> Void
  ) {
    guard let second = workspace.second, products >= SecondThread.fewestProducts, let halves else {
      return workspace.scope { layer(self, workspace.floats(scratch(input))) }
    }
    workspace.scope {
      let room = workspace.floats(scratch(halves.first.input)), size = scratch(halves.second.input)
      // Coarse levels, which need most, leave most of the workspace idle.
      let other = workspace.hasRoom(for: size) ? workspace.floats(size) : second.room(for: size)
      second.run({ layer(halves.first, room) }, { layer(halves.second, other) })
    }
  }

  /// An image each, or the upper and the lower rows of one. Nil where it cannot be divided.
  private var halves: (first: LayerMaps, second: LayerMaps)? {
    if input.images == 2 { return (part { $0.image(0) }, part { $0.image(1) }) }
    let height = input.height, middle = (height / 2 + Self.tile - 1) / Self.tile * Self.tile
    guard middle < height else { return nil }
    return (part { $0.rows(0..<middle) }, part { $0.rows(middle..<height) })
  }

  private func part(_ of: (FeatureMap) -> FeatureMap) -> LayerMaps {
    LayerMaps(input: of(input), output: of(output), residual: residual.map(of))
  }

  /// The maps as the kernels take them.
  func withPointers(
    _ body: (UnsafePointer<fk_map>, UnsafePointer<fk_map>, UnsafePointer<fk_map>?) -> Void
  ) {
    withUnsafePointer(to: (input.view, output.view)) { maps in
      residual.withPointer { body(pointer(to: maps, \.0), pointer(to: maps, \.1), $0) }
    }
  }
}
