// Warped features to the next level: twice the size, fewer channels; one set of weights for both images.

internal import Tensors

struct FeatureUpsampling: Sendable {
  let name: String
  let outputs: Int
  private let reduce: Convolution
  private let convolution: Convolution

  init(_ name: String, inputs: Int, outputs: Int, from reader: ParameterReader) throws(WeightsError) {
    self.name = name
    self.outputs = outputs
    reduce = Convolution(try reader.convolution("\(name).up_sample.1", inputs, outputs, side: 1))
    convolution = Convolution(try reader.convolution("\(name).conv1", outputs, outputs, side: 3))
  }

  /// x: 2 × C × s × s; y: 2 × C′ × 2s × 2s, written.
  func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workspace: Workspace, recorder: Recorder) {
    if recorder.isOn { recordUpsampled(x, workspace, recorder) }
    workspace.scope {
      let reduced = workspace.map(images: x.images, channels: outputs, height: x.height, width: x.width)
      reduce(x, into: reduced, workspace: workspace)
      let large = workspace.map(images: y.images, channels: outputs, height: y.height, width: y.width)
      large.resize(reduced, alignCorners: true, workspace: workspace)
      recorder.calls("\(name).up_sample", large)
      convolution(large, into: y, workspace: workspace)
      recorder.calls("\(name).conv1", y)
      if recorder.isOn {
        large.normalize(y)
        recorder.calls("\(name).in1", large)
      }
      y.normalize(y, leaky: true)
      recorder.calls(name, y)
    }
  }

  private func recordUpsampled(_ x: FeatureMap, _ workspace: Workspace, _ recorder: Recorder) {
    workspace.scope {
      let large = workspace.map(
        images: x.images, channels: x.channels, height: 2 * x.height, width: 2 * x.width)
      large.resize(x, alignCorners: true, workspace: workspace)
      recorder.calls("\(name).up_sample.0", large)
    }
  }
}
