// Multi-Dconv transposed attention (MDTA): attention between channels, one joint softmax over all C² logits.

internal import Tensors

struct ChannelAttention: Sendable {
  let name: String
  let channels: Int
  /// conv1, conv2, conv3 (q, k, v), C → 3C.
  private let queryKeyValue: Convolution
  /// conv3 alone, for C = 1: the softmax of one logit is 1 whatever q and k.
  private let value: Convolution?
  private let output: ConvolutionParameters
  /// The same with the 1×1 before it, where all channels come from one plane.
  let ofPlane: PlaneAttention?

  /// Nil where its output convolution makes zeros of everything. `mlp`: the 1×1 that makes its input.
  init?(
    _ name: String, _ c: Int, after mlp: ConvolutionParameters, from reader: ParameterReader
  ) throws(WeightsError) {
    output = try reader.convolution("\(name).conv4", c, c, side: 1)
    if reader.isIdle(output) { return nil }
    self.name = name
    channels = c
    let value = try reader.composed("\(name).conv3", c, c)
    self.value = c == 1 ? Convolution(value) : nil
    let joined = ConvolutionParameters.joined([
      try reader.composed("\(name).conv1", c, c), try reader.composed("\(name).conv2", c, c), value,
    ])
    queryKeyValue = Convolution(joined)
    ofPlane = PlaneAttention(mlp: mlp, queryKeyValue: joined, output: output)
  }

  /// y = x + MDTA(normalised x), image by image; y may be x unless there is a trace.
  func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workspace: Workspace, recorder: Recorder) {
    workspace.scope {
      let u = workspace.map(images: x.images, channels: channels, height: x.height, width: x.width)
      u.normalize(x)
      for image in 0..<x.images { attend(u.image(image), x, image, into: y, workspace, recorder) }
    }
  }

  private func attend(
    _ u: FeatureMap, _ x: FeatureMap, _ image: Int, into y: FeatureMap, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    let c = channels, needsProducts = value == nil || recorder.isOn
    workspace.scope {
      let parts = workspace.map(channels: needsProducts ? 3 * c : 1, height: u.height, width: u.width)
      let convolution = needsProducts ? queryKeyValue : value ?? queryKeyValue
      convolution(u, into: parts, workspace: workspace)
      let v = parts.channels(parts.channels - c..<parts.channels)
      let q = needsProducts ? parts.channels(0..<c) : v, k = needsProducts ? parts.channels(c..<2 * c) : v
      let target = y.image(image)
      if recorder.isOn {
        target.attend(query: q, key: k, value: v, output: output, adding: nil, workspace: workspace)
        for (part, map) in [("conv1", q), ("conv2", k), ("conv3", v), ("conv4", target)] {
          recorder.record("cap.\(name).\(part)#\(image)", map)
        }
      }
      target.attend(
        query: q, key: k, value: v, output: output, adding: x.image(image), workspace: workspace)
    }
  }
}
