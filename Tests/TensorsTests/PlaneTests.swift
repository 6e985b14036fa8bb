// Plain planes against their definitions, with every instruction set: sampled along a deformation, and measured.

import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct PlaneTests {
    private let sizes = [(1, 1), (1, 7), (9, 1), (2, 3), (17, 31), (16, 16), (33, 20), (40, 64)]

    @Test func `sampler V is the bilinear value with the border continued`() {
      withEveryInstructionSet { instructions in
        for (width, height) in sizes {
          var numbers = Numbers(67)
          let count = width * height, values = numbers.array(count)
          let dx = numbers.array(count).map { $0 * 40 }, dy = numbers.array(count).map { $0 * 3 }
          let sampled = sampleClamped(values, width: width, height: height, dx: dx, dy: dy)
          let source = Planes(channels: 1, height: height, width: width, values: values.map(Double.init))
          let worst = (0..<count).map { i in
            let row = min(max(Double(i / width) + Double(dy[i]), 0), Double(height - 1))
            let column = min(max(Double(i % width) + Double(dx[i]), 0), Double(width - 1))
            return abs(source.bilinear(0, row, column, clamped: true) - Double(sampled[i]))
          }.max()
          #expect(worst ?? 0 < 1e-5, "\(instructions) \(width)×\(height)")
        }
      }
    }

    @Test func `every instruction set samples and measures the same bits`() {
      var numbers = Numbers(68)
      let (width, height) = (37, 29), count = 37 * 29
      let values = numbers.array(count), dx = numbers.array(count), dy = numbers.array(count)
      var seen: Set<[UInt32]> = [], lengths: Set<UInt64> = []
      withEveryInstructionSet { _ in
        seen.insert(sampleClamped(values, width: width, height: height, dx: dx, dy: dy).map(\.bitPattern))
        lengths.insert(
          FlowNumbers(dx: dx, dy: dy, columns: width, rows: height, mask: nil).lengths.bitPattern)
      }
      #expect(seen.count == 1 && lengths.count == 1)
    }

    @Test func `a deformation's numbers are those of its pixels one by one`() {
      withEveryInstructionSet { instructions in
        for (width, height) in sizes {
          var numbers = Numbers(71)
          let count = width * height
          let dx = numbers.array(count).map { 2 * $0 }, dy = numbers.array(count).map { 2 * $0 }
          for mask in [nil, numbers.array(count).map { $0 > -0.5 }] {
            let found = FlowNumbers(dx: dx, dy: dy, columns: width, rows: height, mask: mask)
            let expected = Naive(dx, dy, width, height, mask)
            let what = "\(instructions) \(width)×\(height)"
            #expect(found.count == expected.count && found.folded == expected.folded, "\(what)")
            #expect(found.lengths == expected.lengths, "\(what)")
            #expect(
              found.longestSquared == expected.longest && found.smallest == expected.smallest, "\(what)")
          }
        }
      }
    }

    /// Pixel after pixel, in the order of the rows.
    private struct Naive {
      var count = 0, folded = 0, lengths = 0.0, longest = 0.0, smallest = Double.infinity

      init(_ dx: [Float], _ dy: [Float], _ width: Int, _ height: Int, _ mask: [Bool]?) {
        func slope(_ values: [Float], _ at: Int, _ place: Int, _ size: Int, _ step: Int) -> Double {
          let back = place > 0 ? step : 0, on = place < size - 1 ? step : 0
          let difference = Double(values[at + on] - values[at - back])
          return back > 0 && on > 0 ? difference / 2 : difference
        }
        for at in 0..<width * height where mask?[at] ?? true {
          let (row, column) = at.quotientAndRemainder(dividingBy: width)
          let xx = 1 + slope(dx, at, column, width, 1), xy = slope(dx, at, row, height, width)
          let yx = slope(dy, at, column, width, 1), yy = 1 + slope(dy, at, row, height, width)
          let determinant = xx * yy - xy * yx, x = Double(dx[at]), y = Double(dy[at])
          lengths += (x * x + y * y).squareRoot()
          longest = max(longest, x * x + y * y)
          smallest = min(smallest, determinant)
          folded += determinant <= 0 ? 1 : 0
          count += 1
        }
      }
    }
  }
}
