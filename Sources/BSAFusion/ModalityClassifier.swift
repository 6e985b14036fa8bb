// The tail of the encoder: patches to tokens, a class token that gathers what is peculiar to the modality, two ViT blocks.

internal import Tensors

/// Blocks, class token and head; the discriminator has the same parts and differs only in what it is given.
struct ModalityClassifier: Sendable {
  static let hidden = ParameterTable.hidden

  let name: String
  private let classToken: [Float]
  private let blocks: [TransformerBlock]
  private let headHidden: Linear
  private let headLogits: Linear

  init(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    self.name = name
    classToken = try reader.token("\(name).cls_token")
    blocks = [
      try TransformerBlock("\(name).vit_blks.vit0", from: reader),
      try TransformerBlock("\(name).vit_blks.vit1", from: reader),
    ]
    headHidden = try reader.linear("\(name).head.0", Self.hidden, Self.hidden)
    headLogits = try reader.linear("\(name).head.2", Self.hidden, 2)
  }

  /// tokens: 2 sequences of 1 + N rows; rows 1… hold the patches. Row 0 becomes the modality's token.
  func callAsFunction(_ tokens: Tokens, workspace: Workspace, recorder: Recorder) {
    let length = tokens.rows / 2
    for image in 0..<2 { tokens[image * length..<image * length + 1].fill(classToken) }
    for block in blocks { block(tokens, sequences: 2, workspace: workspace, recorder: recorder) }
  }

  /// Logits of the modality (fixed, moving); only a trace asks for them.
  func recordHead(_ tokens: Tokens, as names: [String], workspace: Workspace, recorder: Recorder) {
    let length = tokens.rows / 2
    workspace.scope {
      let hidden = workspace.tokens(rows: 1, columns: Self.hidden)
      let logits = workspace.tokens(rows: 1, columns: 2)
      for image in 0..<2 {
        headHidden(tokens[image * length..<image * length + 1], into: hidden)
        hidden.gelu()
        headLogits(hidden, into: logits)
        recorder.row(names[image], logits)
        recorder.row("cap.\(name).head#\(image)", logits)
      }
    }
  }
}

/// conv 16×16, stride 16, of (features + position map) as one product per image; the position's share is a constant.
struct PatchEmbedding: Sendable {
  private let projection: Linear
  private let bias: [Float]
  /// `[256][256]`, learned at that size.
  private let position: [Float]

  init(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    let e = ParameterTable.hidden, patch = ParameterTable.patch, channels = Encoder.featureChannels
    projection = Linear(
      LinearParameters(
        inputs: channels * patch * patch, outputs: e,
        weight: try reader.weights.stored(
          "\(name).patch_embedding.weight", shape: [e, channels, patch, patch]),
        bias: nil))
    bias = try reader.weights.values("\(name).patch_embedding.bias", shape: [e])
    let side = ParameterTable.positionSide
    position = try reader.weights.values("\(name).position_embedding", shape: [1, 1, side, side])
  }

  /// The tokens of the position map resized to this side (bilinear, aligned corners), bias included: `[N][E]`.
  func positionTokens(side: Int, workspace: Workspace) -> [Float] {
    let learned = ParameterTable.positionSide, patch = ParameterTable.patch
    let tokens = (side / patch) * (side / patch)
    return workspace.scope {
      let map = workspace.map(channels: 1, height: learned, width: learned)
      map.fill(from: position)
      let resized = workspace.map(channels: Encoder.featureChannels, height: side, width: side)
      for channel in 0..<Encoder.featureChannels {
        resized.channels(channel..<channel + 1).resize(map, alignCorners: true, workspace: workspace)
      }
      let patches = workspace.tokens(rows: tokens, columns: projection.inputs)
      patches.fillPatches(of: resized, image: 0)
      let embedded = workspace.tokens(rows: tokens, columns: projection.outputs)
      projection(patches, into: embedded)
      let constant = workspace.tokens(rows: 1, columns: bias.count)
      constant.fill(bias)
      embedded.add(row: constant)
      return embedded.values
    }
  }

  /// y `[N][E]` = embedding of one image's features plus the position's tokens.
  func callAsFunction(
    _ features: FeatureMap, image: Int, position: [Float], into y: Tokens, workspace: Workspace
  ) {
    workspace.scope {
      let patches = workspace.tokens(rows: y.rows, columns: projection.inputs)
      patches.fillPatches(of: features, image: image)
      y.fill(position)
      projection(patches, into: y, accumulating: true)
    }
  }
}
