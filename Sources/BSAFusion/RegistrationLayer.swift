// One registration layer (FRL of the moving, RRL of the fixed image): cross attention of its running feature with both
// images' features gives a field of this level and the running feature of the next.

internal import Tensors

struct RegistrationLayer: Sendable {
  /// Width from which the tiles of one map fill the kernels.
  private static let fewestColumnsApart = 64

  let name: String
  let inputs: Int
  let outputs: Int
  private let reduce: Convolution
  /// crossAtt1's conv1 and conv2, C → 2C. Nil where conv1 is zero: p = 0 leaves K(a, b) = a.
  private let gates: Convolution?
  private let residual: Convolution
  private let field: Convolution
  private let next: Convolution

  init(_ name: String, inputs c: Int, outputs: Int, from reader: ParameterReader) throws(WeightsError) {
    self.name = name
    inputs = c
    self.outputs = outputs
    reduce = Convolution(try reader.convolution("\(name).conv1x1.0", 2 * c, c, side: 1))
    let weighed = try reader.convolution("\(name).crossAtt1.conv1.0", c, c, side: 3)
    gates =
      reader.isIdle(weighed)
      ? nil
      : Convolution(
        .joined([weighed, try reader.convolution("\(name).crossAtt1.conv2.0", c, c, side: 3)]))
    residual = Convolution(
      try reader.convolution("\(name).feature_output.0.feature_output.0", c, c, side: 3))
    field = Convolution(try reader.convolution("\(name).flow_output.0", c, 2, side: 3))
    next = Convolution(try reader.convolution("\(name).up1.1", c, outputs, side: 1))
  }

  /// d: the running feature, C × s × s, overwritten. both: the two images' features, 2C × s × s.
  /// Written: φ, 2 × s × s (pixels of this level, |φ| < 1), and the next running feature, C′ × 2s × 2s, if asked for.
  func callAsFunction(
    _ d: FeatureMap, both: FeatureMap, field φ: FeatureMap, next upsampled: FeatureMap?, workspace: Workspace,
    recorder: Recorder
  ) {
    workspace.scope {
      // Nobody needs d any more: at the finest level, where memory is scarcest, that is eight planes.
      let s = d
      attend(d, both, workspace, recorder)
      let refined = workspace.map(channels: inputs, height: d.height, width: d.width)
      residual(s, into: refined, activation: .relu, adding: s, workspace: workspace)
      recorder.record("cap.\(name).feature_output#0", refined)
      field(refined, into: φ, activation: .tanh, workspace: workspace)
      recorder.record("cap.\(name).out1#0", φ)
      if recorder.isOn { recordUpsampling(refined, workspace, recorder) }
      guard let upsampled else { return }
      // The 1×1 before the upsampling: they commute, and here it sees a quarter of the pixels.
      let reduced = workspace.map(channels: outputs, height: d.height, width: d.width)
      next(refined, into: reduced, workspace: workspace)
      upsampled.resize(reduced, alignCorners: true, activation: .leakyReLU, workspace: workspace)
      recorder.record("cap.\(name).out0#0", upsampled)
    }
  }

  /// d ← K(d, e) + K(e, d), e = LeakyReLU(1×1 of both).
  private func attend(
    _ d: FeatureMap, _ both: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    guard let gates else {  // e + d
      return reduce(both, into: d, activation: .leakyReLU, adding: d, workspace: workspace)
    }
    workspace.scope {
      // Small maps side by side: their weights are then read and transformed once for both.
      let pair =
        d.width < Self.fewestColumnsApart
        ? workspace.map(images: 2, channels: inputs, height: d.height, width: d.width) : nil
      let e = pair?.image(1) ?? workspace.map(channels: inputs, height: d.height, width: d.width)
      reduce(both, into: e, activation: .leakyReLU, workspace: workspace)
      recorder.record("cap.\(name).conv1x1#0", e)
      let gated = workspace.map(images: 2, channels: 2 * inputs, height: d.height, width: d.width)
      if let pair {
        pair.image(0).copy(d)
        gates(pair, into: gated, activation: .relu, workspace: workspace)
      } else {
        gates(d, into: gated.image(0), activation: .relu, workspace: workspace)
        gates(e, into: gated.image(1), activation: .relu, workspace: workspace)
      }
      guard recorder.isOn else {
        return d.crossAttend(d, e, gates: gated, summands: nil, workspace: workspace)
      }
      recordGates(gated, recorder)
      let summands = workspace.map(images: 2, channels: inputs, height: d.height, width: d.width)
      d.crossAttend(d, e, gates: gated, summands: summands, workspace: workspace)
      recorder.calls("\(name).crossAtt1", summands)
    }
  }

  /// K(d, e) applies conv1 to d and conv2 to e, K(e, d) the other way round.
  private func recordGates(_ gated: FeatureMap, _ recorder: Recorder) {
    for image in 0..<2 {
      let maps = gated.image(image)
      recorder.record("cap.\(name).crossAtt1.conv1#\(image)", maps.channels(0..<inputs))
      recorder.record("cap.\(name).crossAtt1.conv2#\(1 - image)", maps.channels(inputs..<2 * inputs))
    }
  }

  /// The upsampling as the reference orders it: first to twice the size, then 1×1.
  private func recordUpsampling(_ s: FeatureMap, _ workspace: Workspace, _ recorder: Recorder) {
    workspace.scope {
      let large = workspace.map(channels: inputs, height: 2 * s.height, width: 2 * s.width)
      large.resize(s, alignCorners: true, workspace: workspace)
      recorder.record("cap.\(name).up1.0#0", large)
      let reduced = workspace.map(channels: outputs, height: 2 * s.height, width: 2 * s.width)
      next(large, into: reduced, workspace: workspace)
      recorder.record("cap.\(name).up1.1#0", reduced)
    }
  }
}
