// Convolutions and what is fused with them against their definitions, on awkward sizes, with every instruction set.

import CKernels
import Foundation
import Testing

@testable import Tensors

/// The zeros around every plane must survive what writes it.
func checkBorder(_ map: FeatureMap, _ comment: String) {
  let row = map.width + 1
  for plane in 0..<map.images * map.channels {
    let start = map.view.data + plane * map.view.stride
    let around = (-1...map.width).flatMap { [start[$0 - row], start[map.height * row + $0]] }
    let column = (0..<map.height).map { start[$0 * row + map.width] }
    #expect((around + column).allSatisfy { $0 == 0 }, "\(comment), plane \(plane)")
  }
}

extension KernelTests {
  @Suite struct ConvolutionTests {
    let workspace = Workspace.dirty(capacity: 1 << 22)

    @Test(arguments: [1, 9], [(1, 1), (3, 2), (5, 7), (8, 24), (12, 13)])
    func `a convolution equals its definition`(_ taps: Int, _ channels: (Int, Int)) {
      for (height, width) in awkwardSizes {
        workspace.scope {
          let parameters = ConvolutionParameters.numbers(channels.0, channels.1, taps: taps, seed: 7)
          let x = workspace.numbers(images: 2, channels: channels.0, height: height, width: width, seed: 1)
          let y = workspace.map(images: 2, channels: channels.1, height: height, width: width)
          let expected = Planes(x, image: 1).convolved(parameters)
          withEveryInstructionSet { instructions in
            Convolution(parameters)(x, into: y, workspace: workspace)
            #expect(expected.difference(Planes(y, image: 1)) < 1e-5, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions) \(height)×\(width)")
          }
        }
      }
    }

    @Test func `a batch larger than the cache is convolved image by image`() {
      workspace.scope {
        let parameters = ConvolutionParameters.numbers(3, 2, taps: 9, seed: 8)
        let x = workspace.numbers(images: 2, channels: 3, height: 200, width: 201, seed: 9)
        let y = workspace.map(images: 2, channels: 2, height: 200, width: 201)
        let expected = Planes(x, image: 1).convolved(parameters)
        withEveryInstructionSet { instructions in
          Convolution(parameters)(x, into: y, workspace: workspace)
          #expect(expected.difference(Planes(y, image: 1)) < 2e-6, "\(instructions)")
        }
      }
    }

    @Test(arguments: [Activation.relu, .leakyReLU, .tanh, .sigmoid])
    func `activation comes before the residual`(_ activation: Activation) {
      let function: (Double) -> Double = { v in
        switch activation {
        case .relu: max(v, 0)
        case .leakyReLU: v < 0 ? 0.01 * v : v
        case .tanh: Foundation.tanh(v)
        case .sigmoid: 1 / (1 + exp(-v))
        case .identity: v
        }
      }
      workspace.scope {
        let parameters = ConvolutionParameters.numbers(4, 6, taps: 9, seed: 3)
        let x = workspace.numbers(channels: 4, height: 17, width: 31, seed: 4)
        let residual = workspace.numbers(channels: 6, height: 17, width: 31, seed: 5)
        let y = workspace.map(channels: 6, height: 17, width: 31)
        let expected = Planes(x).convolved(parameters).map(function).adding(Planes(residual))
        withEveryInstructionSet { instructions in
          Convolution(parameters)(x, into: y, activation: activation, adding: residual, workspace: workspace)
          #expect(expected.difference(Planes(y)) < 2e-6, "\(instructions)")
          checkBorder(y, "\(instructions)")
        }
      }
    }

    @Test func `1×1 then 3×3 as one convolution is exact at the borders and corners`() {
      let first = ConvolutionParameters.numbers(3, 5, taps: 1, seed: 11)
      let second = ConvolutionParameters.numbers(5, 12, taps: 9, seed: 12)
      for (height, width) in awkwardSizes {
        workspace.scope {
          let x = workspace.numbers(images: 2, channels: 3, height: height, width: width, seed: 13)
          let y = workspace.map(images: 2, channels: 12, height: height, width: width)
          let expected = Planes(x, image: 1).convolved(first).convolved(second)
          withEveryInstructionSet { instructions in
            Convolution(first.composed(with: second))(x, into: y, workspace: workspace)
            #expect(expected.difference(Planes(y, image: 1)) < 2e-6, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions) \(height)×\(width)")
          }
        }
      }
    }

    @Test(arguments: [(8, 8), (8, 12), (9, 25)])
    func `Winograd's convolution equals the definition to a tenth of a thousandth per cent`(
      _ channels: (Int, Int)
    ) {
      for (height, width) in tiledSizes {
        workspace.scope {
          let first = ConvolutionParameters.numbers(channels.0, 6, taps: 1, seed: 14)
          let second = ConvolutionParameters.numbers(6, channels.1, taps: 9, seed: 15)
          let plain = ConvolutionParameters.numbers(channels.0, channels.1, taps: 9, seed: 16)
          let x = workspace.numbers(images: 3, channels: channels.0, height: height, width: width, seed: 17)
          let y = workspace.map(images: 3, channels: channels.1, height: height, width: width)
          let z = workspace.map(images: 3, channels: channels.1, height: height, width: width)
          let residual = workspace.numbers(
            images: 3, channels: channels.1, height: height, width: width, seed: 18)
          let input = Planes(x, image: 2)
          let composed = input.convolved(first).convolved(second)
          let added = input.convolved(plain).map { max($0, 0) }.adding(Planes(residual, image: 2))
          withEveryInstructionSet { instructions in
            Convolution(first.composed(with: second))(x, into: y, workspace: workspace)
            Convolution(plain)(x, into: z, activation: .relu, adding: residual, workspace: workspace)
            #expect(composed.difference(Planes(y, image: 2)) < 1e-5, "\(instructions) \(height)×\(width)")
            #expect(added.difference(Planes(z, image: 2)) < 1e-5, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions) \(height)×\(width)")
          }
        }
      }
    }

    @Test
    func `Winograd's tiles of four round at most five times as much as the definition in single precision`() {
      workspace.scope {
        let all = ConvolutionParameters.numbers(16, 8, taps: 9, seed: 31)
        let x = workspace.numbers(channels: 16, height: 64, width: 64, seed: 32)
        let fast = workspace.map(channels: 8, height: 64, width: 64)
        let direct = workspace.map(channels: 7, height: 64, width: 64)
        let expected = Planes(x).convolved(all)
        // Seven outputs are too few for Winograd.
        func error(_ map: FeatureMap) -> Double {
          let count = 7 * 64 * 64, values = map.values()
          return (0..<count).reduce(0) { $0 + pow(Double(values[$1]) - expected.values[$1], 2) }.squareRoot()
        }
        withEveryInstructionSet { instructions in
          Convolution(all)(x, into: fast, workspace: workspace)
          Convolution(all.selecting(Array(0..<7)))(x, into: direct, workspace: workspace)
          #expect(error(fast) < 5 * error(direct), "\(instructions)")
        }
      }
    }

    @Test func `a sum over very many inputs keeps its digits`() {
      workspace.scope {
        var numbers = Numbers(33)
        // All of one sign, so that the running sum is large: the worst case for rounding.
        let parameters = ConvolutionParameters(
          outputs: 2, inputs: 256, taps: 9, weights: numbers.array(2 * 256 * 9).map { 1 + 0.5 * $0 },
          bias: [-2304, 0])
        let x = workspace.map(channels: 256, height: 8, width: 8)
        x.fill(from: numbers.array(256 * 64).map { 1 + 0.25 * $0 })
        let y = workspace.map(channels: 2, height: 8, width: 8), expected = Planes(x).convolved(parameters)
        withEveryInstructionSet { instructions in
          Convolution(parameters)(x, into: y, workspace: workspace)
          // A running sum is up to 5e-3 off here.
          #expect(expected.difference(Planes(y)) < 1e-3, "\(instructions)")
        }
      }
    }

    @Test(arguments: [(2, 2), (6, 10), (4, 34)])
    func `very many channels take tiles of two, on any even size`(_ height: Int, _ width: Int) {
      workspace.scope {
        let parameters = ConvolutionParameters.numbers(256, 9, taps: 9, seed: 19)
        let x = workspace.numbers(images: 2, channels: 256, height: height, width: width, seed: 20)
        let y = workspace.map(images: 2, channels: 9, height: height, width: width)
        let expected = Planes(x, image: 1).convolved(parameters)
        withEveryInstructionSet { instructions in
          Convolution(parameters)(x, into: y, workspace: workspace)
          #expect(expected.difference(Planes(y, image: 1)) < 3e-6, "\(instructions)")
          checkBorder(y, "\(instructions)")
        }
      }
    }

    @Test(arguments: [1, 3, 8])
    func `the gated feed-forward equals its convolutions one after the other`(_ c: Int) {
      func expansion(_ seed: UInt64) -> [ConvolutionParameters] {
        [.numbers(c, 4 * c, taps: 1, seed: seed), .numbers(4 * c, 4 * c, taps: 9, seed: seed + 1)]
      }
      let gate = expansion(21), value = expansion(23)
      let projection = ConvolutionParameters.numbers(4 * c, c, taps: 1, seed: 25)
      let layer = GatedFeedForward(
        gate: gate[0].composed(with: gate[1]), value: value[0].composed(with: value[1]),
        projection: projection)
      for (height, width) in awkwardSizes + tiledSizes {
        workspace.scope {
          let u = workspace.numbers(images: 2, channels: c, height: height, width: width, seed: 26)
          let x = workspace.numbers(images: 2, channels: c, height: height, width: width, seed: 27)
          let y = workspace.map(images: 2, channels: c, height: height, width: width)
          let input = Planes(u, image: 1)
          let gated = input.convolved(gate[0]).convolved(gate[1]).map {
            0.5 * $0 * (1 + erf($0 / 2.0.squareRoot()))
          }
          let product = gated.multiplied(by: input.convolved(value[0]).convolved(value[1]))
          let expected = product.convolved(projection).adding(Planes(x, image: 1))
          withEveryInstructionSet { instructions in
            y.copy(x)
            layer(u, into: y, adding: y, workspace: workspace)
            #expect(expected.difference(Planes(y, image: 1)) < 1e-5, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions) \(height)×\(width)")
          }
        }
      }
    }
  }
}
