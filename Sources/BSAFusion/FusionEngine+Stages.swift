// A pass in two halves – alignment, then fusion – for callers who change the flow in between.

public import Imaging
internal import Tensors

/// What the first half of a pass leaves: the flow, and the features that the second half fuses.
public struct SliceAlignment: Sendable {
  /// Where the network found the moving image's content.
  public let flow: Flow
  let features: SliceFeatures
}

extension FusionEngine {
  /// The first half of `fuse(fixed:moving:trace:)`: encoder, transfer and alignment.
  ///
  /// Throws as that does.
  public func align(fixed: Plane, moving: Plane) throws(FusionError) -> SliceAlignment {
    for (plane, name) in [(fixed, "fixed"), (moving, "moving")] { try check(plane, name) }
    return try workspace.scope { () throws(FusionError) -> SliceAlignment in
      let flow = workspace.map(channels: 2, height: side, width: side)
      let features = SliceFeatures(
        side: side, shallowChannels: model.encoder.written.shallow, spare: spare)
      try encode(
        fixed, moving, tokens: features.tokens, shallow: features.shallow, flow: flow, workspace,
        Recorder(trace: nil), aligning: true)
      return SliceAlignment(flow: try field(flow), features: features)
    }
  }

  /// The second half: fuses what was aligned along any flow; its own gives the bits of `fuse(fixed:moving:trace:)`.
  ///
  /// - Parameter moving: the plane that was aligned.
  ///
  /// Throws `wrongPlaneSize` for another size, `notFinite` where the flow or the result is not finite.
  public func fuse(_ alignment: SliceAlignment, moving: Plane, by given: Flow) throws(FusionError) -> Fused {
    for (plane, name) in [(moving, "moving"), (given.dx, "flow's"), (given.dy, "flow's")] {
      try check(plane, name)
    }
    return try workspace.scope { () throws(FusionError) -> Fused in
      let flow = workspace.map(channels: 2, height: side, width: side)
      let fused = workspace.map(channels: 1, height: side, width: side)
      flow.channels(0..<1).fill(from: given.dx.pixels)
      flow.channels(1..<2).fill(from: given.dy.pixels)
      let features = alignment.features
      try model.decoder()(
        tokens: features.tokens, shallow: features.shallow, flow: flow, fused: fused, workspace: workspace,
        recorder: Recorder(trace: nil))
      return Fused(fused: try finite(fused), flow: given, moving: moving)
    }
  }
}
