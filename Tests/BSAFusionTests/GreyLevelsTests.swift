// The last layer's values as grey values: the logistic function, or in proportion where a file of weights says so.

import Foundation
import Imaging
import Tensors
import Testing

@testable import BSAFusion

@Suite struct `Grey levels of the fused image` {
  private let fixed = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 37) / 37 })
  private let moving = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 41) / 41 })

  private func fused(_ metadata: [String: String]) throws -> [Float] {
    let model = try withWeights(metadata) { try FusionModel(weights: $0) }
    return try FusionEngine(model: model, side: 32).fuse(fixed: fixed, moving: moving).fused.pixels
  }

  @Test func `values between black and white are shown in proportion, those beyond as black and white`()
    throws
  {
    let values = try fused([:]).map { log(Double($0) / (1 - Double($0))) }
    let sorted = values.sorted(), black = Float(sorted[100]), white = Float(sorted[900])
    let shown = try fused([GreyLevels.key: "\(black) \(white)"])
    let expected = values.map { min(max(($0 - Double(black)) / Double(white - black), 0), 1) }
    let worst = zip(shown, expected).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst < 1e-4, "\(worst)")
    #expect(shown.contains(0) && shown.contains(1))
  }

  @Test(arguments: ["", "4", "4 -4", "1 1", "-4 4 5", "-4  4", "dark bright", "nan 1", "0 inf"])
  func `levels that are not black and white are refused`(text: String) throws {
    let refused = #expect(throws: WeightsError.self) { try fused([GreyLevels.key: text]) }
    #expect(refused?.reason == .damaged && refused?.detail.contains(GreyLevels.key) == true)
  }
}
