// The Restormer block R(i→C): 1×1, multi-Dconv transposed attention (MDTA), gated-Dconv feed-forward (GDFN).
// As in BSAFusion's code, not the Restormer paper: dense convolutions, one joint softmax, norms without affine part.

internal import Tensors

struct RestormerBlock: Sendable {
  let name: String
  let outputs: Int
  private let mlp: Convolution
  /// Nil where it is idle.
  private let attention: ChannelAttention?
  /// Nil where it is idle.
  private let feedForward: GatedFeedForward?

  /// `given`: the 1×1 in front, for what the block is given instead of the inputs of its weights.
  init(
    _ name: String, inputs: Int, outputs c: Int, from reader: ParameterReader,
    given: (ConvolutionParameters) -> ConvolutionParameters = { $0 }
  ) throws(WeightsError) {
    self.name = name
    outputs = c
    let mlp = given(try reader.convolution("\(name).mlp", inputs, c, side: 1))
    self.mlp = Convolution(mlp)
    attention = try ChannelAttention("\(name).mdta", c, after: mlp, from: reader)
    let projection = try reader.convolution("\(name).gdfn.conv", 4 * c, c, side: 1)
    feedForward =
      reader.isIdle(projection)
      ? nil
      : GatedFeedForward(
        gate: try reader.composed("\(name).gdfn.Dconv1", c, 4 * c),
        value: try reader.composed("\(name).gdfn.Dconv2", c, 4 * c), projection: projection)
  }

  /// Whether it is its 1×1 and nothing else.
  var isPointwise: Bool { attention == nil && feedForward == nil }

  /// x: B images of i channels; y: B images of C channels, written; both of one size.
  func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workspace: Workspace, recorder: Recorder) {
    attend(x, into: y, workspace, recorder)
    guard let feedForward else { return recorder.calls(name, y) }
    workspace.scope {
      let normalized = workspace.map(images: x.images, channels: outputs, height: x.height, width: x.width)
      normalized.normalize(y)
      if recorder.isOn { recordGate(feedForward, normalized, workspace, recorder) }
      feedForward(normalized, into: y, adding: y, workspace: workspace)
      recorder.calls("\(name).gdfn", y)
      recorder.calls(name, y)
    }
  }

  /// y = MDTA(1×1 of x).
  private func attend(_ x: FeatureMap, into y: FeatureMap, _ workspace: Workspace, _ recorder: Recorder) {
    guard let ofPlane = attention?.ofPlane else { return attendStepwise(x, into: y, workspace, recorder) }
    // Step by step only for a trace; the result is the same bits with one and without.
    if recorder.isOn { attendStepwise(x, into: y, workspace, recorder) }
    ofPlane(x, into: y, workspace: workspace)
  }

  private func attendStepwise(
    _ x: FeatureMap, into y: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    workspace.scope {
      guard let attention else {
        mlp(x, into: y, workspace: workspace)
        return recorder.calls("\(name).mlp", y)
      }
      // A trace shows the attention without what it is added to, so it needs both.
      let features =
        recorder.isOn
        ? workspace.map(images: x.images, channels: outputs, height: x.height, width: x.width) : y
      mlp(x, into: features, workspace: workspace)
      recorder.calls("\(name).mlp", features)
      attention(features, into: y, workspace: workspace, recorder: recorder)
      recorder.calls("\(name).mdta", y)
    }
  }

  /// The expanded channels and the projection, which the fused feed-forward never stores.
  private func recordGate(
    _ feedForward: GatedFeedForward, _ u: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    for image in 0..<u.images {
      workspace.scope {
        let (gate, value) = feedForward.expansions(of: u.image(image), workspace: workspace)
        recorder.record("cap.\(name).gdfn.Dconv1#\(image)", gate)
        recorder.record("cap.\(name).gdfn.Dconv2#\(image)", value)
      }
    }
    workspace.scope {
      let zero = workspace.map(images: u.images, channels: outputs, height: u.height, width: u.width)
      zero.subtract(u, u)
      feedForward(u, into: zero, adding: zero, workspace: workspace)
      recorder.calls("\(name).gdfn.conv", zero)
    }
  }
}
