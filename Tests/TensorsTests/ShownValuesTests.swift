// Values of a map turned into grey values in place, against their definitions, with every instruction set.

import Foundation
import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct ShownValuesTests {
    let workspace = Workspace.dirty(capacity: 1 << 22)

    private func check(
      _ definition: (Double) -> Double, _ change: (FeatureMap) -> Void,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      for (height, width) in awkwardSizes {
        workspace.scope {
          let x = workspace.numbers(channels: 2, height: height, width: width, seed: 51)
          let y = workspace.map(channels: 2, height: height, width: width)
          let expected = Planes(x).map(definition)
          withEveryInstructionSet { instructions in
            y.copy(x)
            change(y)
            #expect(
              expected.difference(Planes(y)) < 3e-7, "\(instructions) \(height)×\(width)",
              sourceLocation: sourceLocation)
            checkBorder(y, "\(instructions)")
          }
        }
      }
    }

    @Test func `the logistic function`() { check({ 1 / (1 + exp(-$0)) }) { $0.sigmoid() } }

    @Test func `in proportion between black and white, and no further`() {
      check({ min(max(($0 + 0.5) / 0.75, 0), 1) }) { $0.stretch(black: -0.5, white: 0.25) }
    }

    @Test func `what is no number stays none`() {
      workspace.scope {
        let y = workspace.map(channels: 1, height: 1, width: 2)
        y.fill(from: [.nan, 7])
        y.stretch(black: 0, white: 1)
        #expect(y.values()[0].isNaN && y.values()[1] == 1)
      }
    }
  }
}
