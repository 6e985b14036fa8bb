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

  /// One image. x: C × s × s; y: C′ × 2s × 2s, written. `call`: its number, for a trace.
  func callAsFunction(
    _ x: FeatureMap, call: Int, into y: FeatureMap, workspace: Workspace, recorder: Recorder
  ) {
    if recorder.isOn { recordUpsampled(x, call, workspace, recorder) }
    workspace.scope {
      let reduced = workspace.map(channels: outputs, height: x.height, width: x.width)
      reduce(x, into: reduced, workspace: workspace)
      let large = workspace.map(channels: outputs, height: y.height, width: y.width)
      large.resize(reduced, alignCorners: true, workspace: workspace)
      recorder.record("cap.\(name).up_sample#\(call)", large)
      convolution(large, into: y, workspace: workspace)
      recorder.record("cap.\(name).conv1#\(call)", y)
      if recorder.isOn {
        large.normalize(y)
        recorder.record("cap.\(name).in1#\(call)", large)
      }
      y.normalize(y, leaky: true)
      recorder.record("cap.\(name)#\(call)", y)
    }
  }

  private func recordUpsampled(_ x: FeatureMap, _ call: Int, _ workspace: Workspace, _ recorder: Recorder) {
    workspace.scope {
      let large = workspace.map(channels: x.channels, height: 2 * x.height, width: 2 * x.width)
      large.resize(x, alignCorners: true, workspace: workspace)
      recorder.record("cap.\(name).up_sample.0#\(call)", large)
    }
  }
}
