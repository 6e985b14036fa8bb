// Parameters of layers out of a weights file, by the layer's name.

internal import Tensors

struct ParameterReader: Sendable {
  let weights: Weights
  /// Whether branches that give zero whatever comes in are read and computed all the same.
  let keepsIdle: Bool

  /// Whether what comes before this convolution need not be computed: it makes zeros of it.
  func isIdle(_ last: ConvolutionParameters) -> Bool { !keepsIdle && last.isZero }

  /// The same of a linear layer.
  func isIdle(linear name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> Bool {
    guard !keepsIdle else { return false }
    let bias = try weights.values("\(name).bias", shape: [outputs])
    guard bias.allSatisfy({ $0 == 0 }) else { return false }
    return try weights.stored("\(name).weight", shape: [outputs, inputs]).isZero
  }

  /// A dense convolution of odd side, plain order. A 3×3, most of which are only reordered, is left in the file till then.
  func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, side: Int
  ) throws(WeightsError) -> ConvolutionParameters {
    let values = try weights.stored("\(name).weight", shape: [outputs, inputs, side, side])
    return ConvolutionParameters(
      outputs: outputs, inputs: inputs, taps: side * side,
      values: [side == 1 ? TensorValues(values.floats) : values],
      bias: try weights.values("\(name).bias", shape: [outputs]))
  }

  /// `name.0` (1×1) and `name.1` (3×3) after it, as one 3×3.
  func composed(
    _ name: String, _ inputs: Int, _ outputs: Int
  ) throws(WeightsError) -> ConvolutionParameters {
    try convolution("\(name).0", inputs, outputs, side: 1)
      .composed(with: convolution("\(name).1", outputs, outputs, side: 3))
  }

  func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> Linear {
    Linear(try linearParameters(name, inputs, outputs))
  }

  /// Plain order.
  func linearParameters(
    _ name: String, _ inputs: Int, _ outputs: Int, bias: Bool = true
  ) throws(WeightsError) -> LinearParameters {
    LinearParameters(
      inputs: inputs, outputs: outputs,
      weight: try weights.stored("\(name).weight", shape: [outputs, inputs]),
      bias: bias ? try weights.values("\(name).bias", shape: [outputs]) : nil)
  }

  func layerNormalization(_ name: String) throws(WeightsError) -> LayerNormalization {
    LayerNormalization(
      weight: try weights.values("\(name).weight", shape: [ParameterTable.hidden]),
      bias: try weights.values("\(name).bias", shape: [ParameterTable.hidden]))
  }

  /// A learned token, `[1][1][E]`.
  func token(_ name: String) throws(WeightsError) -> [Float] {
    try weights.values(name, shape: [1, 1, ParameterTable.hidden])
  }
}
