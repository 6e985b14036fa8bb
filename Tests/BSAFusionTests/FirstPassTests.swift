// A pass that begins before all weights are read: the same bits, and weights that cannot be read are not passed over.

import Dispatch
import Foundation
import Imaging
import Tensors
import Testing

@testable import BSAFusion

@Suite struct `A pass while weights are read` {
  /// Weights with some values changed, to `body`.
  private func withWeights(
    _ change: (Parameter, [Float]) -> [Float] = { $1 }, _ body: (Weights) throws -> Void
  ) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors"
    )
    .path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SafetensorsFile.write(
      ParameterTable.all.map {
        NamedTensor(name: $0.name, shape: $0.shape, values: change($0, GoldenWeights.values($0)))
      }, to: path)
    try body(try Weights(path: path))
  }

  private let fixed = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 37) / 37 })
  private let moving = Plane(columns: 32, rows: 32, pixels: (0..<1024).map { Float($0 % 41) / 41 })

  @Test func `it gives the bits of one that waited`() throws {
    try withWeights { weights in
      let late = try FusionEngine(
        model: FusionModel(weights: weights, waiting: false), side: 32, memory: EngineMemory(side: 32))
      let first = try late.fuse(fixed: fixed, moving: moving)
      let waited = try FusionEngine(model: FusionModel(weights: weights), side: 32)
        .fuse(fixed: fixed, moving: moving)
      #expect(first.fused == waited.fused && first.flow == waited.flow && first.aligned == waited.aligned)
      try late.model.complete()
    }
  }

  @Test(arguments: ["fusion_net.F1.gdfn.conv.bias", "reg_net.f2_FR1.flow_output.0.bias"])
  func `a value that is not finite is refused by name, at the latest by the pass`(name: String) throws {
    try withWeights({ $0.name == name ? [.nan] + $1.dropFirst() : $1 }) { weights in
      let early = #expect(throws: WeightsError.self) { try FusionModel(weights: weights) }
      #expect(early?.tensor == name && early?.reason == .notFinite)
      let model = try FusionModel(weights: weights, waiting: false)
      let engine = try FusionEngine(model: model, side: 32)
      let passed = #expect(throws: FusionError.self) { try engine.fuse(fixed: fixed, moving: moving) }
      #expect(passed?.reason == .unusableModel && passed?.detail.contains(name) == true)
      let whole = #expect(throws: WeightsError.self) { try model.complete() }
      #expect(whole == early)
    }
  }

  /// Sides whose levels are not all whole tiles, halves of unlike size among them.
  @Test(arguments: [80, 112], Machine.InstructionSet.allCases)
  func `two threads give the bits of one, and so does one whose helper is busy`(
    side: Int, instructions: Machine.InstructionSet
  ) throws {
    let own = Machine.instructions
    Machine.use(instructions)
    defer { Machine.use(own) }
    let planes = [37, 41].map { period in
      Plane(columns: side, rows: side, pixels: (0..<side * side).map { Float($0 % period) / Float(period) })
    }
    let queue = DispatchQueue(label: "test.second")
    try withWeights { weights in
      let model = try FusionModel(weights: weights)
      func fused(with second: SecondThread?) throws -> Fused {
        let engine = try FusionEngine(model: model, side: side)
        engine.workspace.second = second
        return try engine.fuse(fixed: planes[0], moving: planes[1])
      }
      let alone = try fused(with: nil)
      let helped = try fused(with: SecondThread(queue: queue))
      queue.suspend()
      defer { queue.resume() }
      let left = try fused(with: SecondThread(queue: queue))
      for other in [helped, left] {
        #expect(other.fused == alone.fused && other.flow == alone.flow && other.aligned == alone.aligned)
      }
    }
  }
}
