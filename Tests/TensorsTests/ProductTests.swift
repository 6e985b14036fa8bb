// Matrix products and weights in half precision against their definitions, with every instruction set.

import CKernels
import Foundation
import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct ProductTests {
    /// Rows, inputs and columns about the edges of register blocks, panels and partial sums.
    static let shapes = [
      (1, 1, 1), (5, 3, 15), (6, 63, 16), (7, 64, 17), (13, 65, 64), (6, 257, 65), (2, 300, 130),
      (12, 128, 192),
    ]

    private func expected(
      _ x: [Float], _ weight: [Float], _ bias: [Float], _ shape: (Int, Int, Int)
    ) -> [Double] {
      let (rows, inputs, columns) = shape
      return (0..<rows * columns).map { at in
        let row = at / columns, column = at % columns
        return (0..<inputs).reduce(Double(bias[column])) {
          $0 + Double(x[row * inputs + $1]) * Double(weight[column * inputs + $1])
        }
      }
    }

    @Test(arguments: shapes.indices, [false, true])
    func `a product equals its definition, with weights in single or half precision`(
      _ index: Int, _ halves: Bool
    ) {
      let shape = Self.shapes[index], (rows, inputs, columns) = shape,
        workspace = Workspace(capacity: 1 << 18)
      var numbers = Numbers(91)
      let weight = numbers.array(columns * inputs).map { halves ? Float(Float16($0)) : $0 }
      let x = numbers.array(rows * inputs), bias = numbers.array(columns),
        before = numbers.array(rows * columns)
      let sums = expected(x, weight, bias, shape)
      let layer = Linear(LinearParameters(inputs: inputs, outputs: columns, weight: weight, bias: bias))
      withEveryInstructionSet { instructions in
        workspace.scope {
          let from = workspace.tokens(rows: rows, columns: inputs)
          let to = workspace.tokens(rows: rows, columns: columns)
          from.fill(x)
          for accumulating in [false, true] {
            to.fill(before)
            layer(from, into: to, accumulating: accumulating)
            for (i, value) in to.values.enumerated() {
              let all = sums[i] + (accumulating ? Double(before[i]) : 0)
              #expect(abs(all - Double(value)) < 1e-5, "\(instructions) \(shape) at \(i)")
            }
          }
        }
      }
    }

    @Test func `a product of many inputs of one sign keeps its digits`() {
      let workspace = Workspace.dirty(capacity: 1 << 16), inputs = 768
      var numbers = Numbers(92)
      let weight = numbers.array(inputs).map { 1 + 0.5 * $0 }, x = numbers.array(inputs).map { 1 + 0.25 * $0 }
      let sum = expected(x, weight, [-768], (1, inputs, 1))[0]
      withEveryInstructionSet { instructions in
        workspace.scope {
          let from = workspace.tokens(rows: 1, columns: inputs), to = workspace.tokens(rows: 1, columns: 1)
          from.fill(x)
          Linear(LinearParameters(inputs: inputs, outputs: 1, weight: weight, bias: [-768]))(from, into: to)
          // A running sum is rounded at up to 768, and 768 times.
          #expect(abs(sum - Double(to.values[0])) < 1.5e-4, "\(instructions)")
        }
      }
    }

    @Test func `every finite half comes back, and what no half holds is told`() {
      let all = (0...UInt16.max).map { Float(Float16(bitPattern: $0)) }.filter(\.isFinite)
      withEveryInstructionSet { instructions in
        var halves = [UInt16](repeating: 0, count: all.count),
          values = [Float](repeating: 0, count: all.count)
        #expect(fk_exact_halves(all, all.count, &halves), "\(instructions)")
        fk_half_to_float(halves, halves.count, &values)
        #expect(zip(values, all).allSatisfy { $0.bitPattern == $1.bitPattern }, "\(instructions)")
        for odd in [Float(1) / 3, 65520, 1e-8, 2049, 65504.5, -1e30] {
          #expect(!fk_exact_halves([1, odd, 2], 3, &halves), "\(instructions) \(odd)")
        }
      }
    }
  }
}
