// The encoder: two Restormer blocks, one set of weights for both images.

internal import Tensors

struct Encoder: Sendable {
  /// Channels of the shallow features and of the features that go on to the tokens.
  static let shallowChannels = 8
  static let featureChannels = 3

  private let shallow: RestormerBlock
  private let deep: RestormerBlock

  init(from reader: ParameterReader) throws(WeightsError) {
    shallow = try RestormerBlock("encoder.rb1", inputs: 1, outputs: Self.shallowChannels, from: reader)
    deep = try RestormerBlock(
      "encoder.rb2", inputs: Self.shallowChannels, outputs: Self.featureChannels, from: reader)
  }

  /// images: 2 × 1 × S × S, fixed then moving. Written: shallow 2 × 8 × S × S, features 2 × 3 × S × S.
  func callAsFunction(
    _ images: FeatureMap, shallow: FeatureMap, features: FeatureMap, workspace: Workspace, recorder: Recorder
  ) {
    self.shallow(images, into: shallow, workspace: workspace, recorder: recorder)
    deep(shallow, into: features, workspace: workspace, recorder: recorder)
    recorder.record("enc.AS_F", shallow, image: 0)
    recorder.record("enc.BS_F", shallow, image: 1)
    recorder.record("enc.feature1", features, image: 0)
    recorder.record("enc.feature2", features, image: 1)
  }
}
