// Features of a slice that was aligned, until it is fused: memory of their own, used again for the next slice.

internal import Synchronization
internal import Tensors

/// What the second half of a pass needs of the first. Read by any number of engines; its memory goes back when it is let go.
final class SliceFeatures: Sendable {
  /// `@unchecked`: its maps are written by the engine that aligns the slice, before anybody else has them.
  fileprivate final class Maps: @unchecked Sendable {
    let tokens: FeatureMap
    let shallow: FeatureMap
    /// Owns what the maps lie in.
    private let memory: Workspace

    init(side: Int, shallowChannels: Int) {
      let coarse = side / ParameterTable.patch
      memory = Workspace(
        capacity: Workspace.floats(images: 2, channels: ParameterTable.hidden, height: coarse, width: coarse)
          + Workspace.floats(images: 2, channels: shallowChannels, height: side, width: side))
      tokens = memory.map(images: 2, channels: ParameterTable.hidden, height: coarse, width: coarse)
      shallow = memory.map(images: 2, channels: shallowChannels, height: side, width: side)
    }
  }

  /// Memory of one engine's slices that is free again: fresh pages cost more than what is copied to them.
  final class Spare: Sendable {
    private let maps = Mutex<[Maps]>([])

    fileprivate func take() -> Maps? { maps.withLock { $0.popLast() } }
    fileprivate func give(_ one: Maps) { maps.withLock { $0.append(one) } }
  }

  private let maps: Maps
  private let spare: Spare

  /// - Parameter spare: of slices of the same side and channels.
  init(side: Int, shallowChannels: Int = Encoder.shallowChannels, spare: Spare) {
    self.spare = spare
    maps = spare.take() ?? Maps(side: side, shallowChannels: shallowChannels)
  }

  deinit { spare.give(maps) }

  /// Features of both images before injection, 2 × 256 × S/16 × S/16.
  var tokens: FeatureMap { maps.tokens }
  /// Shallow features of both, 2 × 8 × S × S, or what is given instead.
  var shallow: FeatureMap { maps.shallow }
}
