// The encoder: two Restormer blocks, one set of weights for both images.

internal import Tensors

struct Encoder: Sendable {
  /// Channels of the shallow features and of the features that go on to the tokens, in the weights.
  static let shallowChannels = 8
  static let featureChannels = 3

  private let shallow: RestormerBlock
  private let deep: RestormerBlock
  /// Where both blocks only weigh the image: what the channels are of it. Then the features are not computed; who reads them
  /// is given the image itself, its weights brought into that form at load.
  let affine: AffineFeatures?

  init(from reader: ParameterReader) throws(WeightsError) {
    shallow = try RestormerBlock("encoder.rb1", inputs: 1, outputs: Self.shallowChannels, from: reader)
    deep = try RestormerBlock(
      "encoder.rb2", inputs: Self.shallowChannels, outputs: Self.featureChannels, from: reader)
    affine =
      shallow.isPointwise && deep.isPointwise
      ? AffineFeatures(
        first: try reader.convolution("encoder.rb1.mlp", 1, Self.shallowChannels, side: 1),
        second: try reader.convolution(
          "encoder.rb2.mlp", Self.shallowChannels, Self.featureChannels, side: 1)) : nil
  }

  /// Channels of the maps that are written.
  var written: (shallow: Int, features: Int) {
    affine == nil ? (Self.shallowChannels, Self.featureChannels) : (AffineFeatures.planes, 1)
  }

  /// images: 2 × 1 × S × S, fixed then moving. Written: shallow 2 × 8 × S × S, features 2 × 3 × S × S; where they are
  /// `affine`, each image and a plane of ones, and the images.
  func callAsFunction(
    _ images: FeatureMap, shallow: FeatureMap, features: FeatureMap, workspace: Workspace, recorder: Recorder
  ) {
    guard affine == nil else {
      shallow.fill(1)
      for image in 0..<images.images { shallow.image(image).channels(0..<1).copy(images.image(image)) }
      return features.copy(images)
    }
    self.shallow(images, into: shallow, workspace: workspace, recorder: recorder)
    deep(shallow, into: features, workspace: workspace, recorder: recorder)
    recorder.record("enc.AS_F", shallow, image: 0)
    recorder.record("enc.BS_F", shallow, image: 1)
    recorder.record("enc.feature1", features, image: 0)
    recorder.record("enc.feature2", features, image: 1)
  }
}

/// Features that are multiples of the image plus a constant: weights put onto the image and a plane of ones instead of them.
///
/// Exact but for rounding, at the border too: outside the image the sampler reads zeros from both planes, as it does from the
/// features.
struct AffineFeatures: Sendable {
  /// The image and the ones.
  static let planes = 2

  /// Of every channel, the share of the image and the constant.
  let shallow: [SIMD2<Float>]
  let features: [SIMD2<Float>]

  /// `first`: the 1×1 from the image to the shallow features; `second`: from those to the features.
  init(first: ConvolutionParameters, second: ConvolutionParameters) {
    shallow = zip(first.weights, first.bias).map { SIMD2($0, $1) }
    let basis = shallow.map { [$0.x, $0.y] }
    let both = second.onto(basis)
    features = (0..<both.outputs).map {
      SIMD2(both.weights[Self.planes * $0], both.weights[Self.planes * $0 + 1] + both.bias[$0])
    }
  }

  /// A 1×1 of `others` channels and both images' shallow features, as one of those channels and both images' planes.
  func replacing(in parameters: ConvolutionParameters, after others: Int) -> ConvolutionParameters {
    var basis: [[Float]] = []
    func row(_ entries: [Int: Float]) -> [Float] {
      (0..<others + 2 * Self.planes).map { entries[$0] ?? 0 }
    }
    for channel in 0..<others { basis.append(row([channel: 1])) }
    for image in 0..<2 {
      let plane = others + image * Self.planes
      for share in shallow { basis.append(row([plane: share.x, plane + 1: share.y])) }
    }
    return parameters.onto(basis)
  }
}
