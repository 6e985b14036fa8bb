// Multi-Dconv transposed attention (MDTA): attention between channels, one joint softmax over all C² logits.

internal import Tensors

struct ChannelAttention: Sendable {
  let name: String
  let channels: Int
  /// conv1 and conv2 (q, k), C → 2C.
  private let queryKey: Convolution
  /// conv3 (v).
  private let value: Convolution
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
    let products = [
      try reader.composed("\(name).conv1", c, c), try reader.composed("\(name).conv2", c, c),
    ]
    self.value = Convolution(value)
    queryKey = Convolution(.joined(products))
    ofPlane = PlaneAttention(mlp: mlp, queryKeyValue: .joined(products + [value]), output: output)
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
    workspace.scope {
      let folded = workspace.attention(channels: channels), target = y.image(image)
      // q and k are gone before there is v: where this is largest, memory is scarcest.
      weigh(u, image, folded, workspace, recorder)
      let v = workspace.map(channels: channels, height: u.height, width: u.width)
      value(u, into: v, workspace: workspace)
      if recorder.isOn {
        recorder.record("cap.\(name).conv3#\(image)", v)
        target.attend(value: v, folded, output: output, adding: nil)
        recorder.record("cap.\(name).conv4#\(image)", target)
      }
      target.attend(value: v, folded, output: output, adding: x.image(image))
    }
  }

  /// What conv4 weighs the channels of v by.
  private func weigh(
    _ u: FeatureMap, _ image: Int, _ folded: FoldedAttention, _ workspace: Workspace, _ recorder: Recorder
  ) {
    // The softmax of one logit is 1 whatever q and k.
    if channels == 1 && !recorder.isOn {
      return folded.fold(query: u, key: u, output: output, workspace: workspace)
    }
    workspace.scope {
      let both = workspace.map(channels: 2 * channels, height: u.height, width: u.width)
      queryKey(u, into: both, workspace: workspace)
      let q = both.channels(0..<channels), k = both.channels(channels..<2 * channels)
      recorder.record("cap.\(name).conv1#\(image)", q)
      recorder.record("cap.\(name).conv2#\(image)", k)
      folded.fold(query: q, key: k, output: output, workspace: workspace)
    }
  }
}
