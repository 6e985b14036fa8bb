// Patches of the features and the position map become tokens.

internal import Tensors

/// conv 16×16, stride 16, of (features + position map) as one product per image; the position's share is a constant.
struct PatchEmbedding: Sendable {
  private let projection: Linear
  /// Of a plane that is added to every channel.
  private let positionProjection: Linear
  private let bias: [Float]
  /// `[256][256]`, learned at that size.
  private let position: [Float]

  /// `affine`: what the features are of the image, where they are not computed.
  init(_ name: String, affine: AffineFeatures?, from reader: ParameterReader) throws(WeightsError) {
    let e = ParameterTable.hidden, patch = ParameterTable.patch, channels = Encoder.featureChannels
    let taps = patch * patch
    let stored = try reader.weights.stored(
      "\(name).patch_embedding.weight", shape: [e, channels, patch, patch])
    let weight = stored.floats
    var bias = try reader.weights.values("\(name).patch_embedding.bias", shape: [e])
    /// All channels' filters as one, `[e][taps]`, each channel's times its share.
    func joined(_ shares: [Float]) -> [Float] {
      (0..<e * taps).map { index in
        let (output, tap) = index.quotientAndRemainder(dividingBy: taps)
        return Float(
          (0..<channels).reduce(0.0) {
            $0 + Double(shares[$1]) * Double(weight[(output * channels + $1) * taps + tap])
          })
      }
    }
    func linear(_ weight: [Float]) -> Linear {
      Linear(LinearParameters(inputs: taps, outputs: e, weight: weight, bias: nil))
    }
    positionProjection = linear(joined([Float](repeating: 1, count: channels)))
    if let affine {
      projection = linear(joined(affine.features.map(\.x)))
      let constant = joined(affine.features.map(\.y))
      for output in 0..<e {
        bias[output] += Float(constant[output * taps..<(output + 1) * taps].reduce(0.0) { $0 + Double($1) })
      }
    } else {
      projection = Linear(
        LinearParameters(inputs: channels * taps, outputs: e, weight: stored, bias: nil))
    }
    self.bias = bias
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
      let resized = workspace.map(channels: 1, height: side, width: side)
      resized.resize(map, alignCorners: true, workspace: workspace)
      let patches = workspace.tokens(rows: tokens, columns: positionProjection.inputs)
      patches.fillPatches(of: resized, image: 0)
      let embedded = workspace.tokens(rows: tokens, columns: positionProjection.outputs)
      positionProjection(patches, into: embedded)
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
