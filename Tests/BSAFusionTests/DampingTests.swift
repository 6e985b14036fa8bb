// Weak flows made weaker: the factor in closed form, and what a file of weights that asks for it does to a pass.

import Foundation
import Imaging
import Tensors
import Testing

@testable import BSAFusion

@Suite struct `Damping of weak flows` {
  private let fixed = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 37) / 37 })
  private let moving = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 41) / 41 })

  private func damping(_ noise: Double) throws -> Damping { try #require(Damping(noise: noise)) }

  /// Two bright pixels of length 2 and 1, dark ones of length 9 beside them: 1 − 0.9² / 2.5.
  @Test func `the factor is that of James and Stein over what is bright in either image`() throws {
    let damping = try damping(0.9)
    let fixed = Plane(columns: 4, rows: 1, pixels: [0.5, 0, 0.06, 0])
    let moving = Plane(columns: 4, rows: 1, pixels: [0.0625, 0.3, 0.0625, 0.12])
    let factor = damping.factor(dx: [2, 0.6, 9, 9], dy: [0, 0.8, 0, 0], fixed: fixed, moving: moving)
    #expect(abs(factor - 0.676) < 1e-6)
  }

  @Test func `a flow no longer than the noise, or nothing to look at, leaves the pair as it lies`() throws {
    let damping = try damping(0.9)
    let bright = Plane(columns: 2, rows: 1, repeating: 0.5), dark = Plane(columns: 2, rows: 1)
    #expect(damping.factor(dx: [0.9, 0], dy: [0, 0.9], fixed: bright, moving: dark) == 0)
    #expect(damping.factor(dx: [0, 0], dy: [0, 0], fixed: bright, moving: dark) == 0)
    #expect(damping.factor(dx: [9, 9], dy: [9, 9], fixed: dark, moving: dark) == 0)
  }

  @Test func `a file that asks for it has every flow damped, in a pass and in its halves`() throws {
    let plain = try withWeights([:]) { try FusionModel(weights: $0) }
    let damped = try withWeights([Damping.key: "3"]) { try FusionModel(weights: $0) }
    #expect(plain.damping(modality: nil) == nil)
    let flow = try FusionEngine(model: plain, side: 32).fuse(fixed: fixed, moving: moving).flow
    let factor = try #require(damped.damping(modality: nil)).factor(
      dx: flow.dx.pixels, dy: flow.dy.pixels, fixed: fixed, moving: moving)
    #expect(factor > 0.05 && factor < 0.95)
    let engine = try FusionEngine(model: damped, side: 32)
    let fused = try engine.fuse(fixed: fixed, moving: moving)
    #expect(fused.flow.dx.pixels == flow.dx.pixels.map { factor * $0 })
    #expect(fused.flow.dy.pixels == flow.dy.pixels.map { factor * $0 })
    let alignment = try engine.align(fixed: fixed, moving: moving)
    let halves = try engine.fuse(alignment, moving: moving, by: alignment.flow)
    #expect(alignment.flow == fused.flow && halves.fused == fused.fused)
  }

  @Test(arguments: ["", "wide", "nan", "-1"], [Damping.key, "\(Damping.key).CT"])
  func `a noise that is no length is refused`(text: String, key: String) throws {
    let refused = #expect(throws: WeightsError.self) {
      try withWeights([key: text]) { try FusionModel(weights: $0) }
    }
    #expect(refused?.reason == .damaged && refused?.detail.contains(key) == true)
  }

  @Test func `a modality of its own noise has that, all others the general one`() throws {
    let said = [Damping.key: "1", "\(Damping.key).PT": "0.5", "\(Damping.key).NM": "0"]
    let model = try withWeights(said) { try FusionModel(weights: $0) }
    #expect(model.damping(modality: nil)?.noise == 1 && model.damping(modality: "CT")?.noise == 1)
    #expect(model.damping(modality: "PT")?.noise == 0.5)
    #expect(model.damping(modality: "NM") == nil)
    let plain = try withWeights([:]) { try FusionModel(weights: $0) }
    let raw = try FusionEngine(model: plain, side: 32, modality: "PT").fuse(fixed: fixed, moving: moving).flow
    let flow = try FusionEngine(model: model, side: 32, modality: "PT").fuse(fixed: fixed, moving: moving)
      .flow
    let factor = try damping(0.5).factor(dx: raw.dx.pixels, dy: raw.dy.pixels, fixed: fixed, moving: moving)
    #expect(factor < 1 && flow.dx.pixels == raw.dx.pixels.map { factor * $0 })
  }

  @Test func `no noise is no damping`() throws {
    #expect(
      try withWeights([Damping.key: "0"]) { try FusionModel(weights: $0) }.damping(modality: nil) == nil)
  }
}
