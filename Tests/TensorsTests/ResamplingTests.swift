// Resizing and warping against their definitions.

import Foundation
import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct ResamplingTests {
    let workspace = Workspace.dirty(capacity: 1 << 22)

    @Test(arguments: [true, false])
    func `bilinear resizing follows PyTorch's two conventions`(_ alignCorners: Bool) {
      withEveryInstructionSet { instructions in
        for (height, width) in awkwardSizes {
          for (outHeight, outWidth) in [(2 * height, 2 * width), (height, width), (5 * height, 3 * width)] {
            workspace.scope {
              let x = workspace.numbers(images: 2, channels: 2, height: height, width: width, seed: 61)
              let y = workspace.map(images: 2, channels: 2, height: outHeight, width: outWidth)
              y.resize(x, alignCorners: alignCorners, activation: .relu, workspace: workspace)
              let expected = Planes(x, image: 1).resized(outHeight, outWidth, alignCorners: alignCorners).map
              {
                max($0, 0)
              }
              #expect(
                expected.difference(Planes(y, image: 1)) < 2e-6,
                "\(instructions) \(height)×\(width) → \(outHeight)×\(outWidth)")
            }
          }
        }
      }
    }

    @Test(arguments: [2, 4, 8, 16])
    func `a field is added at full resolution in full-resolution pixels`(_ factor: Int) {
      withEveryInstructionSet { instructions in
        workspace.scope {
          let field = workspace.numbers(channels: 2, height: 6, width: 6, seed: 62)
          let flow = workspace.numbers(channels: 2, height: 6 * factor, width: 6 * factor, seed: 63)
          var expected = Planes(field).resized(6 * factor, 6 * factor, alignCorners: true).map {
            Double(factor) * $0
          }
          for (i, value) in Planes(flow).values.enumerated() { expected.values[i] += value }
          flow.accumulate(field: field, scale: Float(factor), workspace: workspace)
          #expect(expected.difference(Planes(flow)) < 1e-5, "\(instructions)")
        }
      }
    }

    @Test(arguments: [2, 4, 8, 16])
    func `the flow of a coarser level is the plain resize over its factor`(_ factor: Int) {
      withEveryInstructionSet { instructions in
        workspace.scope {
          let flow = workspace.numbers(channels: 2, height: 64, width: 64, seed: 64)
          let small = workspace.map(channels: 2, height: 64 / factor, width: 64 / factor)
          small.shrink(flow: flow)
          let expected = Planes(flow).resized(64 / factor, 64 / factor, alignCorners: false).map {
            $0 / Double(factor)
          }
          #expect(expected.difference(Planes(small)) < 1e-6, "\(instructions)")
        }
      }
    }

    @Test(arguments: [2, 7, 16, 33, 64])
    func `sampler W magnifies and darkens the border exactly as the network expects`(_ side: Int) {
      withEveryInstructionSet { instructions in
        workspace.scope {
          let x = workspace.numbers(channels: 5, height: side, width: side, seed: 65)
          let field = workspace.map(channels: 2, height: side, width: side)
          var numbers = Numbers(66)
          // Offsets up to the side itself: many positions lie outside, some just at the edge.
          field.fill(from: numbers.array(2 * side * side).map { ($0 * Float(side) * 4).rounded() / 4 })
          let y = workspace.map(channels: 5, height: side, width: side)
          y.warp(x, by: field)
          let source = Planes(x), offsets = Planes(field), s = Double(side)
          let expected = Planes.make(5, side, side) { c, row, column in
            let at = { (position: Int, offset: Double) in (Double(position) + offset) * s / (s - 1) - 0.5 }
            return source.bilinear(
              c, at(row, offsets[1, row, column]), at(column, offsets[0, row, column]), clamped: false)
          }
          #expect(expected.difference(Planes(y)) < 3e-5, "\(instructions) \(side)")
        }
      }
    }

    @Test func `sampler W is as exact far from the origin as near it`() {
      withEveryInstructionSet { instructions in
        workspace.scope {
          let side = 256, x = workspace.numbers(channels: 1, height: side, width: side, seed: 69)
          let field = workspace.map(channels: 2, height: side, width: side)
          var numbers = Numbers(70)
          field.fill(from: numbers.array(2 * side * side).map { 4 * $0 })
          let y = workspace.map(channels: 1, height: side, width: side)
          y.warp(x, by: field)
          let source = Planes(x), offsets = Planes(field), values = y.values(), s = Double(side)
          for row in [3, 100, 250] {
            for column in 240..<side {
              let at = { (position: Int, offset: Double) in (Double(position) + offset) * s / (s - 1) - 0.5 }
              let expected = source.bilinear(
                0, at(row, offsets[1, row, column]), at(column, offsets[0, row, column]), clamped: false)
              // A coordinate near 256 in single precision is 1.5e-5 off.
              #expect(abs(expected - Double(values[row * side + column])) < 3e-6, "\(instructions)")
            }
          }
        }
      }
    }

    @Test func `sampler V is the identity for no flow and continues the border`() {
      var numbers = Numbers(67)
      let (width, height) = (17, 31), count = 17 * 31
      let values = numbers.array(count), zero = [Float](repeating: 0, count: count)
      #expect(sampleClamped(values, width: width, height: height, dx: zero, dy: zero) == values)
      let dx = numbers.array(count).map { $0 * 40 }, dy = numbers.array(count).map { $0 * 40 }
      let sampled = sampleClamped(values, width: width, height: height, dx: dx, dy: dy)
      let source = Planes(channels: 1, height: height, width: width, values: values.map(Double.init))
      for y in 0..<height {
        for x in 0..<width {
          let i = y * width + x
          let row = min(max(Double(y) + Double(dy[i]), 0), Double(height - 1))
          let column = min(max(Double(x) + Double(dx[i]), 0), Double(width - 1))
          #expect(abs(source.bilinear(0, row, column, clamped: true) - Double(sampled[i])) < 1e-5)
        }
      }
    }

    @Test func `an offset that is not a number never reads outside`() {
      withEveryInstructionSet { _ in
        workspace.scope {
          let x = workspace.numbers(channels: 1, height: 16, width: 16, seed: 68)
          let field = workspace.map(channels: 2, height: 16, width: 16)
          field.fill(from: [Float](repeating: .nan, count: 256) + [Float](repeating: .infinity, count: 256))
          let y = workspace.map(channels: 1, height: 16, width: 16)
          y.warp(x, by: field)
          #expect(y.values().allSatisfy { $0.isNaN })
        }
      }
      let wild = [Float](repeating: .nan, count: 4) + [.infinity, -.infinity, 1e30, -1e30]
      let zero = [Float](repeating: 0, count: 8)
      #expect(sampleClamped([1, 1, 1, 1, 1, 1, 1, 1], width: 4, height: 2, dx: wild, dy: zero).count == 8)
    }
  }
}
