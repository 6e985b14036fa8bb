// The Restormer block R(i→C): 1×1, multi-Dconv transposed attention (MDTA), gated-Dconv feed-forward (GDFN).
// As in BSAFusion's code, not the Restormer paper: dense convolutions, one joint softmax, norms without affine part.

internal import Tensors

struct RestormerBlock: Sendable {
  let name: String
  let outputs: Int
  private let mlp: Convolution
  /// conv1, conv2, conv3 of MDTA (q, k, v), C → 3C.
  private let queryKeyValue: Convolution
  /// conv3 alone, for C = 1: the softmax of one logit is 1 whatever q and k.
  private let value: Convolution?
  private let output: ConvolutionParameters
  private let feedForward: GatedFeedForward

  init(_ name: String, inputs: Int, outputs c: Int, from reader: ParameterReader) throws(WeightsError) {
    self.name = name
    outputs = c
    mlp = Convolution(try reader.convolution("\(name).mlp", inputs, c, side: 1))
    let value = try reader.composed("\(name).mdta.conv3", c, c)
    self.value = c == 1 ? Convolution(value) : nil
    queryKeyValue = Convolution(
      .joined([
        try reader.composed("\(name).mdta.conv1", c, c), try reader.composed("\(name).mdta.conv2", c, c),
        value,
      ]))
    output = try reader.convolution("\(name).mdta.conv4", c, c, side: 1)
    let gate = try reader.composed("\(name).gdfn.Dconv1", c, 4 * c)
    let linearGate = try reader.composed("\(name).gdfn.Dconv2", c, 4 * c)
    feedForward = GatedFeedForward(
      gate: gate, value: linearGate,
      projection: try reader.convolution("\(name).gdfn.conv", 4 * c, c, side: 1))
  }

  /// x: B images of i channels; y: B images of C channels, written; both of one size.
  func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workspace: Workspace, recorder: Recorder) {
    workspace.scope {
      let features = workspace.map(images: x.images, channels: outputs, height: x.height, width: x.width)
      let normalized = workspace.map(images: x.images, channels: outputs, height: x.height, width: x.width)
      mlp(x, into: features, workspace: workspace)
      recorder.calls("\(name).mlp", features)
      normalized.normalize(features)
      attend(normalized, features, into: y, workspace, recorder)
      recorder.calls("\(name).mdta", y)
      normalized.normalize(y)
      if recorder.isOn { recordGate(normalized, y, workspace, recorder) }
      feedForward(normalized, into: y, adding: y, workspace: workspace)
      recorder.calls("\(name).gdfn", y)
      recorder.calls(name, y)
    }
  }

  /// y = x + MDTA(u), image by image.
  private func attend(
    _ u: FeatureMap, _ x: FeatureMap, into y: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    let c = outputs, needsProducts = value == nil || recorder.isOn
    for image in 0..<u.images {
      workspace.scope {
        let parts = workspace.map(channels: needsProducts ? 3 * c : 1, height: u.height, width: u.width)
        let convolution = needsProducts ? queryKeyValue : value ?? queryKeyValue
        convolution(u.image(image), into: parts, workspace: workspace)
        let v = parts.channels(parts.channels - c..<parts.channels)
        let q = needsProducts ? parts.channels(0..<c) : v, k = needsProducts ? parts.channels(c..<2 * c) : v
        let target = y.image(image)
        if recorder.isOn {
          target.attend(query: q, key: k, value: v, output: output, adding: nil, workspace: workspace)
          for (part, map) in [("conv1", q), ("conv2", k), ("conv3", v), ("conv4", target)] {
            recorder.record("cap.\(name).mdta.\(part)#\(image)", map)
          }
        }
        target.attend(
          query: q, key: k, value: v, output: output, adding: x.image(image), workspace: workspace)
      }
    }
  }

  /// The expanded channels and the projection, which the fused feed-forward never stores.
  private func recordGate(_ u: FeatureMap, _ x: FeatureMap, _ workspace: Workspace, _ recorder: Recorder) {
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
