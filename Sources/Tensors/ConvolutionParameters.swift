// Weights of a convolution as written in the model, and the algebra that joins two of them into one.

internal import CKernels

/// A dense convolution's parameters in plain order.
public struct ConvolutionParameters: Sendable {
  public let outputs: Int
  public let inputs: Int
  /// 1 (1×1) or 9 (3×3, row-major, zero padding 1).
  public let taps: Int
  /// `[outputs][inputs][taps]`, in pieces of whole outputs.
  let values: [TensorValues]
  /// `[outputs]`
  public let bias: [Float]
  /// `[outputs][16]` corrections at border pixels (see `fk_filter`), where two convolutions were composed.
  public let border: [Float]?

  public init(
    outputs: Int, inputs: Int, taps: Int, weights: [Float], bias: [Float], border: [Float]? = nil
  ) {
    self.init(
      outputs: outputs, inputs: inputs, taps: taps, values: [TensorValues(weights)], bias: bias,
      border: border)
  }

  /// `values`: weights as they lie in a file, each piece for whole outputs.
  public init(
    outputs: Int, inputs: Int, taps: Int, values: [TensorValues], bias: [Float], border: [Float]? = nil
  ) {
    precondition(taps == 1 || taps == 9, "1×1 or 3×3")
    precondition(
      values.reduce(0) { $0 + $1.count } == outputs * inputs * taps && bias.count == outputs,
      "weights fill the shape")
    precondition(values.allSatisfy { $0.count.isMultiple(of: inputs * taps) }, "pieces of whole outputs")
    precondition(border.map { $0.count == outputs * 16 } ?? true, "sixteen corrections per output")
    self.outputs = outputs
    self.inputs = inputs
    self.taps = taps
    self.values = values
    self.bias = bias
    self.border = border
  }

  /// `[outputs][inputs][taps]`. Made anew each time unless it is one piece that lies in memory.
  public var weights: [Float] { values.count == 1 ? values[0].floats : values.flatMap(\.floats) }

  /// This 1×1 and the 3×3 after it as one 3×3, exact at the borders too.
  public func composed(with next: ConvolutionParameters) -> ConvolutionParameters {
    precondition(taps == 1 && next.taps == 9 && next.inputs == outputs, "1×1 then 3×3")
    var weights = [Float](repeating: 0, count: next.outputs * inputs * 9)
    var bias = [Float](repeating: 0, count: next.outputs)
    var border = [Float](repeating: 0, count: next.outputs * 16)
    fk_compose(
      self.weights, self.bias, next.weights, next.bias, Int32(inputs), Int32(outputs), Int32(next.outputs),
      &weights, &bias, &border)
    return ConvolutionParameters(
      outputs: next.outputs, inputs: inputs, taps: 9, weights: weights, bias: bias, border: border)
  }

  /// Convolutions of one input as one with all their outputs, in order.
  public static func joined(_ parts: [ConvolutionParameters]) -> ConvolutionParameters {
    precondition(
      Set(parts.map(\.inputs)).count == 1 && Set(parts.map(\.taps)).count == 1, "one input, one size")
    let borders = parts.compactMap(\.border)
    precondition(borders.isEmpty || borders.count == parts.count, "all composed or none")
    return ConvolutionParameters(
      outputs: parts.reduce(0) { $0 + $1.outputs }, inputs: parts[0].inputs, taps: parts[0].taps,
      values: parts.flatMap(\.values), bias: parts.flatMap(\.bias),
      border: borders.isEmpty ? nil : borders.flatMap { $0 })
  }

  /// Whether it gives zero for every input.
  public var isZero: Bool { values.allSatisfy(\.isZero) && bias.allSatisfy { $0 == 0 } }

  /// The same for an input whose first `count` channels are not there, being zero.
  public func droppingInputs(first count: Int) -> ConvolutionParameters {
    guard count > 0 else { return self }
    let size = inputs * taps, weights = weights
    return ConvolutionParameters(
      outputs: outputs, inputs: inputs - count, taps: taps,
      weights: (0..<outputs).flatMap { weights[$0 * size + count * taps..<($0 + 1) * size] }, bias: bias,
      border: border)
  }

  /// This 1×1 for inputs that are sums of other planes: input i is Σⱼ basis[i][j] · plane j. Sums in double.
  public func onto(_ basis: [[Float]]) -> ConvolutionParameters {
    precondition(taps == 1 && border == nil && basis.count == inputs, "one row for each input of a 1×1")
    let weights = weights, planes = basis.first?.count ?? 0
    let put = (0..<outputs).flatMap { output in
      (0..<planes).map { plane in
        Float(
          (0..<inputs).reduce(0.0) { $0 + Double(weights[output * inputs + $1]) * Double(basis[$1][plane]) })
      }
    }
    return ConvolutionParameters(outputs: outputs, inputs: planes, taps: 1, weights: put, bias: bias)
  }

  /// Some of the outputs, in the order of `indices`.
  public func selecting(_ indices: [Int]) -> ConvolutionParameters {
    let size = inputs * taps, weights = weights
    return ConvolutionParameters(
      outputs: indices.count, inputs: inputs, taps: taps,
      weights: indices.flatMap { weights[$0 * size..<($0 + 1) * size] }, bias: indices.map { bias[$0] },
      border: border.map { all in indices.flatMap { all[$0 * 16..<($0 + 1) * 16] } })
  }
}
