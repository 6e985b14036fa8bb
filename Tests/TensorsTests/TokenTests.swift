// Transformer operations and element functions against their definitions.

import Foundation
import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct TokenTests {
    let workspace = Workspace.dirty(capacity: 1 << 20)

    private func tokens(_ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 1) -> Tokens {
      var numbers = Numbers(seed)
      let tokens = workspace.tokens(rows: rows, columns: columns)
      tokens.fill(numbers.array(rows * columns).map { $0 * scale })
      return tokens
    }

    @Test func `GELU stays within its stated error from −30 to 30`() {
      let inputs = (-30000...30000).map { Float($0) / 1000 } + [1e-30, -1e-30, 0]
      withEveryInstructionSet { instructions in
        workspace.scope {
          let values = workspace.tokens(rows: 1, columns: inputs.count)
          values.fill(inputs)
          values.gelu()
          var worst = 0.0
          for (x, y) in zip(inputs, values.values) {
            let exact = 0.5 * Double(x) * erfc(-Double(x) / 2.0.squareRoot())
            worst = max(worst, abs(exact - Double(y)) / max(1, abs(Double(x))))
          }
          #expect(worst < 1.1e-7, "\(instructions)")
        }
      }
    }

    @Test func `GELU keeps NaN`() {
      let values = workspace.tokens(rows: 1, columns: 3)
      values.fill([.nan, 1, -1])
      values.gelu()
      #expect(values.values[0].isNaN && !values.values[1].isNaN)
    }

    @Test(arguments: [(1, 1), (5, 7), (17, 31), (3, 256)])
    func `rows are normalised, scaled and shifted`(_ rows: Int, _ columns: Int) {
      withEveryInstructionSet { instructions in
        workspace.scope {
          var numbers = Numbers(71)
          let weight = numbers.array(columns), bias = numbers.array(columns)
          let x = tokens(rows, columns, seed: 72, scale: 5),
            y = workspace.tokens(rows: rows, columns: columns)
          LayerNormalization(weight: weight, bias: bias)(x, into: y)
          let input = x.values.map(Double.init), output = y.values
          for row in 0..<rows {
            let part = input[row * columns..<(row + 1) * columns], n = Double(columns)
            let mean = part.reduce(0, +) / n, variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
            for (i, value) in part.enumerated() {
              let expected =
                (value - mean) / (variance + 1e-5).squareRoot() * Double(weight[i]) + Double(bias[i])
              #expect(abs(expected - Double(output[row * columns + i])) < 2e-6, "\(instructions)")
            }
          }
        }
      }
    }

    @Test func `a linear layer multiplies by the transposed weight and may add to what is there`() {
      workspace.scope {
        var numbers = Numbers(73)
        let weight = numbers.array(5 * 7), bias = numbers.array(5)
        let x = tokens(3, 7, seed: 74), y = tokens(3, 5, seed: 75), before = y.values
        let parameters = LinearParameters(inputs: 7, outputs: 5, weight: weight, bias: bias)
        Linear(parameters)(x, into: y, accumulating: true)
        for row in 0..<3 {
          for o in 0..<5 {
            let product = (0..<7).reduce(0.0) {
              $0 + Double(weight[o * 7 + $1]) * Double(x.values[row * 7 + $1])
            }
            #expect(
              abs(product + Double(bias[o] + before[row * 5 + o]) - Double(y.values[row * 5 + o])) < 2e-6)
          }
        }
      }
    }

    @Test func `a layer can do without outputs and inputs`() {
      workspace.scope {
        var numbers = Numbers(79)
        var weight = numbers.array(4 * 6)
        for input in 0..<6 { weight[2 * 6 + input] = 0 }
        for output in 0..<4 { weight[output * 6 + 5] = 0 }
        let all = LinearParameters(inputs: 6, outputs: 4, weight: weight, bias: [1, 2, 0, 4])
        #expect((0..<4).map(all.writes) == [true, true, false, true])
        #expect((0..<6).map(all.reads) == [true, true, true, true, true, false])
        let x = tokens(3, 6, seed: 80), y = tokens(3, 4, seed: 81), part = tokens(3, 3, seed: 82)
        Linear(all)(x, into: y)
        Linear(all.selecting(outputs: [3, nil, 0]))(x, into: part)
        for row in 0..<3 {
          let few = part[row..<row + 1].values, whole = y[row..<row + 1].values
          #expect(few == [whole[3], 0, whole[0]])
        }
        // Inputs 4, 0, 2 and one that nobody reads: what 1 and 3 add is missing.
        let few = tokens(3, 4, seed: 83), again = tokens(3, 4, seed: 84)
        var chosen: [Float] = []
        for row in 0..<3 {
          let values = x[row..<row + 1].values
          chosen += [values[4], values[0], values[2], 7]
        }
        few.fill(chosen)
        Linear(all.selecting(inputs: [4, 0, 2, nil]))(few, into: again)
        for row in 0..<3 {
          let values = x[row..<row + 1].values, whole = y[row..<row + 1].values
          for (output, got) in again[row..<row + 1].values.enumerated() {
            let missing = weight[output * 6 + 1] * values[1] + weight[output * 6 + 3] * values[3]
            #expect(abs(got + missing - whole[output]) < 1e-5)
          }
        }
      }
    }

    @Test(arguments: [1, 5, 17, 33], [(3, 3), (1, 13), (5, 20)])
    func `every head attends to all rows with a softmax per row`(_ rows: Int, _ sizes: (key: Int, value: Int))
    {
      withEveryInstructionSet { instructions in
        workspace.scope {
          let attention = MultiHeadAttention(
            heads: 2, keySize: sizes.key, valueSize: sizes.value, scale: 0.5)
          let qkv = tokens(rows, attention.inputs, seed: 76, scale: 3)
          let y = workspace.tokens(rows: rows, columns: attention.outputs)
          attention(qkv, into: y, workspace: workspace)
          let values = qkv.values.map(Double.init), result = y.values
          func value(_ row: Int, _ column: Int) -> Double { values[row * attention.inputs + column] }
          for head in 0..<2 {
            let q = head * sizes.key, k = (2 + head) * sizes.key, v = 4 * sizes.key + head * sizes.value
            for row in 0..<rows {
              let scores = (0..<rows).map { other in
                exp(0.5 * (0..<sizes.key).reduce(0.0) { $0 + value(row, q + $1) * value(other, k + $1) })
              }
              let total = scores.reduce(0, +)
              for d in 0..<sizes.value {
                let expected = (0..<rows).reduce(0.0) { $0 + scores[$1] / total * value($1, v + d) }
                let got = Double(result[row * attention.outputs + head * sizes.value + d])
                #expect(abs(expected - got) < 3e-6, "\(instructions)")
              }
            }
          }
        }
      }
    }

    @Test func `tokens become the pixels of a map in row order`() {
      workspace.scope {
        let x = tokens(6, 2, seed: 77), map = workspace.map(channels: 2, height: 2, width: 3)
        map.fill(from: x)
        let expected = (0..<2).flatMap { c in (0..<6).map { x.values[$0 * 2 + c] } }
        #expect(map.values() == expected)
      }
    }

    @Test func `patches are read channel by channel, row by row`() {
      workspace.scope {
        let map = workspace.numbers(channels: 2, height: 32, width: 48, seed: 78)
        let patches = workspace.tokens(rows: 6, columns: 512)
        patches.fillPatches(of: map, image: 0)
        let source = Planes(map)
        for patch in 0..<6 {
          for i in [0, 17, 255, 256, 511] {
            let (c, y, x) = (i / 256, patch / 3 * 16 + i % 256 / 16, patch % 3 * 16 + i % 16)
            #expect(Double(patches.values[patch * 512 + i]) == source[c, y, x])
          }
        }
      }
    }

    @Test func `what a scope took is free again at its end`() {
      let workspace = Workspace(capacity: 4096)
      for _ in 0..<100 { workspace.scope { _ = workspace.floats(2000) } }
      #expect(workspace.peak < 4096)
    }
  }
}
