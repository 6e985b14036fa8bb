// A pass in two halves – alignment, then fusion – for callers who change the flow in between.

public import Imaging
internal import Tensors

/// What the first half of a pass leaves: the flow, and the features that the second half fuses.
public struct SliceAlignment: Sendable {
  /// Where the network found the moving image's content.
  public let flow: Flow
  /// Features of both images before injection, `[2][256][S/16][S/16]`, and the shallow ones, `[2][8][S][S]`.
  let tokens: [[Float]]
  let shallow: [[Float]]
}

extension FusionEngine {
  /// The first half of `fuse(fixed:moving:trace:)`: encoder, transfer and alignment.
  ///
  /// Throws as that does.
  public func align(fixed: Plane, moving: Plane) throws(FusionError) -> SliceAlignment {
    for (plane, name) in [(fixed, "fixed"), (moving, "moving")] { try check(plane, name) }
    return try workspace.scope { () throws(FusionError) -> SliceAlignment in
      let flow = workspace.map(channels: 2, height: side, width: side)
      let (tokens, shallow) = featureMaps(workspace)
      encode(
        fixed, moving, tokens: tokens, shallow: shallow, flow: flow, workspace, Recorder(trace: nil),
        aligning: true)
      return SliceAlignment(
        flow: try field(flow), tokens: (0..<2).map { tokens.values(image: $0) },
        shallow: (0..<2).map { shallow.values(image: $0) })
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
      let (tokens, shallow) = featureMaps(workspace)
      flow.fill(from: given.dx.pixels + given.dy.pixels)
      for image in 0..<2 {
        tokens.fill(image: image, from: alignment.tokens[image])
        shallow.fill(image: image, from: alignment.shallow[image])
      }
      model.decoder(
        tokens: tokens, shallow: shallow, flow: flow, fused: fused, workspace: workspace,
        recorder: Recorder(trace: nil))
      return Fused(fused: try finite(fused), flow: given, aligned: given.warp(moving))
    }
  }

  private func featureMaps(_ workspace: Workspace) -> (tokens: FeatureMap, shallow: FeatureMap) {
    let tokenSide = side / ParameterTable.patch
    return (
      workspace.map(images: 2, channels: ParameterTable.hidden, height: tokenSide, width: tokenSide),
      workspace.map(images: 2, channels: Encoder.shallowChannels, height: side, width: side)
    )
  }
}
