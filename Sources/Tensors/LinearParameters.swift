// Weights of a linear layer as written in the model, and what of it can be left out.

/// A linear layer's parameters in plain order: y = x · weightᵀ + bias.
public struct LinearParameters: Sendable {
  public let inputs: Int
  public let outputs: Int
  /// `[outputs][inputs]`
  let weight: TensorValues
  /// `[outputs]`
  let bias: [Float]?

  public init(inputs: Int, outputs: Int, weight: [Float], bias: [Float]?) {
    self.init(inputs: inputs, outputs: outputs, weight: TensorValues(weight), bias: bias)
  }

  public init(inputs: Int, outputs: Int, weight: TensorValues, bias: [Float]?) {
    precondition(
      weight.count == inputs * outputs && (bias?.count ?? outputs) == outputs, "weights fill the shape")
    (self.inputs, self.outputs, self.weight, self.bias) = (inputs, outputs, weight, bias)
  }

  /// Whether an output can be anything but zero.
  public func writes(_ output: Int) -> Bool {
    bias.map { $0[output] != 0 } ?? false
      || !weight.isZero(from: output * inputs, by: 1, count: inputs)
  }

  /// Whether any output depends on an input.
  public func reads(_ input: Int) -> Bool {
    !weight.isZero(from: input, by: inputs, count: outputs)
  }

  /// Some of the outputs, in this order; nil stands for one that is zero.
  public func selecting(outputs chosen: [Int?]) -> LinearParameters {
    if chosen.elementsEqual((0..<outputs).map { $0 }) { return self }
    let none = [Float](repeating: 0, count: inputs), weight = weight.floats
    return LinearParameters(
      inputs: inputs, outputs: chosen.count,
      weight: chosen.flatMap { $0.map { Array(weight[$0 * inputs..<($0 + 1) * inputs]) } ?? none },
      bias: bias.map { bias in chosen.map { $0.map { bias[$0] } ?? 0 } })
  }

  /// For an input of which only these values are given, in this order; nil stands for one that is not used.
  public func selecting(inputs chosen: [Int?]) -> LinearParameters {
    if chosen.elementsEqual((0..<inputs).map { $0 }) { return self }
    let weight = weight.floats
    return LinearParameters(
      inputs: chosen.count, outputs: outputs,
      weight: (0..<outputs).flatMap { row in chosen.map { $0.map { weight[row * inputs + $0] } ?? 0 } },
      bias: bias)
  }
}
