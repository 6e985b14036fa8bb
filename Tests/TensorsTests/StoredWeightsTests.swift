// Layers made of half-precision weights as they lie in a file, beside the same made of widened ones.

import CKernels
import Foundation
import Testing

@testable import Tensors

@Suite struct StoredWeightsTests {
  private let workspace = Workspace(capacity: 1 << 20)

  /// Two F16 tensors of these sizes, `a` and `b`, in a file whose values start at an odd byte; some are zero.
  private func withTensors(_ a: Int, _ b: Int, _ body: (TensorValues, TensorValues) throws -> Void) throws {
    var numbers = Numbers(UInt64(a + b))
    let values = numbers.array(a + b).enumerated().map { $0 % 7 == 3 ? 0 : Float16($1) }
    let start = 2 * a, end = 2 * (a + b)
    var json =
      #"{"a":{"dtype":"F16","shape":[\#(a)],"data_offsets":[0,\#(start)]},"#
      + #""b":{"dtype":"F16","shape":[\#(b)],"data_offsets":[\#(start),\#(end)]}}"#
    if json.utf8.count.isMultiple(of: 2) { json += " " }
    var bytes = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Data($0) } + Data(json.utf8)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors")
    try bytes.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let weights = try Weights(path: file.path)
    let (one, other) = (try weights.stored("a", shape: [a]), try weights.stored("b", shape: [b]))
    #expect(one.halves != nil && other.halves != nil)
    #expect(one.floats + other.floats == values.map(Float.init))
    try body(one, other)
  }

  @Test(arguments: [(8, 8, 0), (9, 8, 3), (13, 16, 8), (70, 24, 16), (11, 32, 5)])
  func `a convolution of stored weights gives the bits of one of widened ones`(
    inputs: Int, outputs: Int, more: Int
  ) throws {
    try withTensors(outputs * inputs * 9, more * inputs * 9) { a, b in
      let all = outputs + more, bias = [Float](repeating: 0.25, count: all)
      let stored = ConvolutionParameters(
        outputs: all, inputs: inputs, taps: 9, values: more == 0 ? [a] : [a, b], bias: bias)
      let plain = ConvolutionParameters(
        outputs: all, inputs: inputs, taps: 9, weights: a.floats + b.floats, bias: bias)
      #expect(stored.weights == plain.weights)
      workspace.scope {
        let x = workspace.numbers(channels: inputs, height: 6, width: 9, seed: 5)
        let y = workspace.map(channels: all, height: 6, width: 9)
        let z = workspace.map(channels: all, height: 6, width: 9)
        Convolution(stored)(x, into: y, workspace: workspace)
        Convolution(plain)(x, into: z, workspace: workspace)
        #expect(y.values() == z.values())
        #expect(y.values().contains { $0 != 0.25 })
      }
    }
  }

  @Test(arguments: [(7, 5), (9, 65), (64, 128), (300, 70)])
  func `a linear layer of stored weights gives the bits of one of widened ones`(
    inputs: Int, outputs: Int
  ) throws {
    try withTensors(outputs * inputs, 1) { a, _ in
      let bias = [Float](repeating: -0.5, count: outputs)
      let stored = LinearParameters(inputs: inputs, outputs: outputs, weight: a, bias: bias)
      let plain = LinearParameters(inputs: inputs, outputs: outputs, weight: a.floats, bias: bias)
      let (few, same) = (stored.selecting(outputs: [2, nil, 0]), plain.selecting(outputs: [2, nil, 0]))
      workspace.scope {
        let x = workspace.tokens(rows: 5, columns: inputs)
        var numbers = Numbers(3)
        x.fill(numbers.array(5 * inputs))
        for (one, other) in [(stored, plain), (few, same)] {
          let y = workspace.tokens(rows: 5, columns: one.outputs)
          let z = workspace.tokens(rows: 5, columns: one.outputs)
          Linear(one)(x, into: y)
          Linear(other)(x, into: z)
          #expect(y.values == z.values)
        }
      }
    }
  }

  @Test func `what is zero is seen in a file as in memory`() throws {
    try withTensors(7 * 14, 7 * 3) { a, b in
      // Every seventh value of the file is zero, from the fourth on.
      let stored = LinearParameters(inputs: 7, outputs: 14, weight: a, bias: nil)
      let plain = LinearParameters(inputs: 7, outputs: 14, weight: a.floats, bias: nil)
      #expect((0..<7).map(stored.reads) == [true, true, true, false, true, true, true])
      #expect((0..<7).map(plain.reads) == (0..<7).map(stored.reads))
      #expect((0..<14).allSatisfy(stored.writes) && !b.isZero)
      #expect(b.isZero(from: 3, by: 7, count: 3) && !b.isZero(from: 3, by: 6, count: 3))
      #expect(TensorValues([0, -0, 0]).isZero && !TensorValues([0, 1]).isZero)
    }
  }

  @Test func `a value that is not finite is found wherever it stands`() {
    for place in [0, 1, 63, 64, 129] {
      var halves = [UInt16](repeating: 0x7BFF, count: 130)
      #expect(fk_halves_are_finite(halves, halves.count))
      halves[place] = place % 2 == 0 ? 0x7C00 : 0xFE01
      #expect(!fk_halves_are_finite(halves, halves.count) && fk_halves_are_finite(halves, place))
    }
  }
}
