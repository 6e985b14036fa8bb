// What an engine refuses, what it promises about memory and repetition, and how a flow is described.

import Foundation
import Imaging
import Tensors
import Testing

@testable import BSAFusion

@Suite struct EngineTests {
  private func plane(_ side: Int, _ value: (Int, Int) -> Float) -> Plane {
    var plane = Plane(columns: side, rows: side)
    for y in 0..<side { for x in 0..<side { plane[x, y] = value(x, y) } }
    return plane
  }

  private func pair(_ side: Int) -> (Plane, Plane) {
    (
      plane(side) { x, y in Float((x * 7 + y * 3) % 17) / 17 },
      plane(side) { x, y in Float((x * 5 + y * 11) % 13) / 13 }
    )
  }

  @Test(arguments: [0, 16, 31, 33, 40, 250])
  func `a side that is no multiple of 16 from 32 up is refused with a sentence`(_ side: Int) throws {
    let error = try #require(throws: FusionError.self) {
      try FusionEngine(model: GoldenWeights.model.get(), side: side)
    }
    #expect(error.reason == .unsupportedSide)
    #expect(error.description.contains("multiple of 16") && error.description.contains("\(side)"))
  }

  @Test func `planes of another size and values that are no numbers are refused`() throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: 32)
    let (fixed, moving) = pair(32)
    func refusal(_ fixed: Plane, _ moving: Plane) throws -> FusionError {
      try #require(throws: FusionError.self) { try engine.fuse(fixed: fixed, moving: moving) }
    }
    let oblong = try refusal(Plane(columns: 32, rows: 48), moving)
    #expect(
      oblong.reason == .wrongPlaneSize && oblong.detail.contains("fixed") && oblong.detail.contains("32×48"))
    #expect(try refusal(fixed, Plane(columns: 64, rows: 64)).detail.contains("moving"))
    var broken = moving
    broken[3, 4] = .nan
    #expect(try refusal(fixed, broken).reason == .notFinite)
    broken[3, 4] = .infinity
    #expect(try refusal(broken, moving).reason == .notFinite)
  }

  @Test(arguments: [32, 48, 64, 80, 96, 112, 128, 208, 256, 352])
  func `the planned workspace is enough and little larger than what a pass uses`(_ side: Int) throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: side)
    let (fixed, moving) = pair(side)
    _ = try engine.fuse(fixed: fixed, moving: moving)
    #expect(engine.workspacePeak <= engine.workspaceCapacity)
    if side == 256 { #expect(Double(engine.workspacePeak) > 0.9 * Double(engine.workspaceCapacity)) }
    print(
      "side \(side): \(engine.workspaceBytes / 1024) KiB planned, \(engine.workspacePeak * 4 / 1024) used")
  }

  @Test func `the same pair gives the same bits, with another pair between and with a trace`() throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: 48)
    let (fixed, moving) = pair(48)
    let first = try engine.fuse(fixed: fixed, moving: moving)
    _ = try engine.fuse(fixed: moving, moving: fixed)
    let again = try engine.fuse(fixed: fixed, moving: moving)
    #expect(first.fused == again.fused && first.flow == again.flow && first.aligned == again.aligned)
    let traced = try engine.fuse(fixed: fixed, moving: moving) { _, _, _ in }
    #expect(first.fused == traced.fused && first.flow == traced.flow)
  }

  @Test func `a pass in two halves gives the bits of a whole one, with any flow between`() throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: 48)
    let (fixed, moving) = pair(48)
    let (whole, undeformed) = (
      try engine.fuse(fixed: fixed, moving: moving), try engine.fuseUndeformed(fixed: fixed, moving: moving)
    )
    let alignment = try engine.align(fixed: fixed, moving: moving)
    _ = try engine.fuse(fixed: moving, moving: fixed)
    #expect(alignment.flow == whole.flow)
    let halves = try engine.fuse(alignment, moving: moving, by: alignment.flow)
    #expect(halves.fused == whole.fused && halves.aligned == whole.aligned)
    let still = try engine.fuse(alignment, moving: moving, by: undeformed.flow)
    #expect(still.fused == undeformed.fused && still.aligned == undeformed.aligned)
  }

  @Test func `leaving out branches that add nothing changes no value`() throws {
    let idle = [
      "encoder.rb1.gdfn.conv", "encoder.rb2.mdta.conv4", "fusion_net.F4.mlp", "fusion_net.F4.mdta.conv4",
      "fusion_net.F4.gdfn.conv", "reg_net.f1_FR2.crossAtt1.conv1", "reg_net.f2_FR3.crossAtt1.conv1",
      "reg_net.f1_FR4.flow_output", "reg_net.f2_FR4.flow_output", "reg_net.f1_FR5.flow_output",
      "reg_net.f2_FR5.flow_output", "transfer.classifier.vit_blks.vit0.attention.out_proj",
      "transfer.transfer.VitBLK2.vit1.mlp.linear2",
    ]
    let weights = try Self.weights(idle: idle), (fixed, moving) = pair(64)
    let short = try FusionModel(weights: weights)
    let whole = try FusionModel(weights: weights, keepingIdleBranches: true)
    #expect(try short.alignment().depth == 3 && whole.alignment().depth == 5)
    let one = try FusionEngine(model: short, side: 64).fuse(fixed: fixed, moving: moving)
    let other = try FusionEngine(model: whole, side: 64).fuse(fixed: fixed, moving: moving)
    #expect(one.flow == other.flow && one.aligned == other.aligned)
    #expect(Difference(one.fused.pixels, other.fused.pixels).greatest < 1e-6)
    #expect(one.flow.dx.pixels.contains { $0 != 0 })
  }

  @Test func `an encoder that only weighs the image is folded into what reads it`() throws {
    let blocks = ["encoder.rb1", "encoder.rb2"].flatMap { ["\($0).mdta.conv4", "\($0).gdfn.conv"] }
    let coarse = ["fusion_net.F4.mlp", "fusion_net.F4.mdta.conv4", "fusion_net.F4.gdfn.conv"]
    for idle in [blocks, blocks + coarse] {
      let weights = try Self.weights(idle: idle), (fixed, moving) = pair(64)
      let short = try FusionModel(weights: weights)
      let whole = try FusionModel(weights: weights, keepingIdleBranches: true)
      #expect(short.encoder.affine != nil && whole.encoder.affine == nil)
      let engine = try FusionEngine(model: short, side: 64)
      let one = try engine.fuse(fixed: fixed, moving: moving)
      let other = try FusionEngine(model: whole, side: 64).fuse(fixed: fixed, moving: moving)
      #expect(Difference(one.flow.dx.pixels, other.flow.dx.pixels).greatest < 1e-4)
      #expect(Difference(one.flow.dy.pixels, other.flow.dy.pixels).greatest < 1e-4)
      #expect(Difference(one.fused.pixels, other.fused.pixels).greatest < 1e-4)
      #expect(one.flow.dx.pixels.contains { abs($0) > 0.5 })
      let alignment = try engine.align(fixed: fixed, moving: moving)
      #expect(try engine.fuse(alignment, moving: moving, by: alignment.flow).fused == one.fused)
    }
    let one = try Self.weights(idle: Array(blocks.dropLast()))
    #expect(try FusionModel(weights: one).encoder.affine == nil)
  }

  @Test func `a refused deformation gives what a pass without alignment gives`() throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: 48), (fixed, moving) = pair(48)
    let deformed = try engine.fuse(fixed: fixed, moving: moving)
    let plain = try engine.fuseUndeformed(fixed: fixed, moving: moving)
    var seen: (Flow, Plane)?
    let refused = try engine.fuse(fixed: fixed, moving: moving) {
      seen = ($0, $1)
      return false
    }
    #expect(seen?.0 == deformed.flow && seen?.1 == deformed.aligned)
    #expect(refused.fused == plain.fused && refused.flow == plain.flow && refused.aligned == moving)
    let accepted = try engine.fuse(fixed: fixed, moving: moving) { _, _ in true }
    #expect(accepted.fused == deformed.fused && accepted.flow == deformed.flow)
  }

  @Test func `engines of several workers at once give the bits of one alone`() async throws {
    let model = try GoldenWeights.model.get(), (fixed, moving) = pair(64)
    let alone = try FusionEngine(model: model, side: 64).fuse(fixed: fixed, moving: moving)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let engine = try FusionEngine(model: model, side: 64)
          return try (0..<3).allSatisfy { _ in
            let again = try engine.fuse(fixed: fixed, moving: moving)
            return again.fused == alone.fused && again.flow == alone.flow
          }
        }
      }
      for try await same in group { #expect(same) }
    }
  }

  @Test func `a model that lacks a tensor or has a misshapen one is refused by name`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    func refusal(_ change: ([NamedTensor]) -> [NamedTensor]) throws -> WeightsError {
      let all = ParameterTable.all.map {
        NamedTensor(
          name: $0.name, shape: $0.shape, values: [Float](repeating: 0, count: $0.shape.reduce(1, *)))
      }
      try SafetensorsFile.write(change(all), to: path)
      return try #require(throws: WeightsError.self) { try FusionModel(weights: Weights(path: path)) }
    }
    let name = "fusion_net.F3.gdfn.conv.bias"
    let missing = try refusal { $0.filter { $0.name != name } }
    #expect(missing.reason == .missingTensor && missing.tensor == name)
    let misshapen = try refusal {
      $0.map { $0.name == name ? NamedTensor(name: name, shape: [4, 4], values: $0.values) : $0 }
    }
    #expect(
      misshapen.reason == .wrongShape && misshapen.tensor == name && misshapen.detail.contains("[4, 4]"))
  }

  @Test func `the table holds 466 tensors and ten million parameters`() {
    #expect(ParameterTable.all.count == 466)
    #expect(Set(ParameterTable.all.map(\.name)).count == 466)
    #expect(ParameterTable.all.reduce(0) { $0 + $1.shape.reduce(1, *) } == 10_028_296)
  }

  @Test(arguments: [Machine.InstructionSet.portable, .avx2])
  func `other instruction sets agree with the best`(_ instructions: Machine.InstructionSet) throws {
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: 64)
    let (fixed, moving) = pair(64)
    let best = try engine.fuse(fixed: fixed, moving: moving)
    let before = Machine.instructions
    Machine.use(instructions)
    defer { Machine.use(before) }
    let other = try engine.fuse(fixed: fixed, moving: moving)
    #expect(Difference(best.fused.pixels, other.fused.pixels).greatest < 1e-3)
    #expect(Difference(best.flow.dx.pixels, other.flow.dx.pixels).greatest < 1e-3)
  }

  @Test func `a uniform shift has its length, no fold and keeps area`() {
    let flow = Flow(dx: plane(8) { _, _ in 3 }, dy: plane(8) { _, _ in -4 })
    let statistics = DeformationStatistics(flow: flow)
    #expect(statistics.meanPixels == 5 && statistics.maxPixels == 5 && statistics.pixels == 64)
    #expect(statistics.foldedFraction == 0 && statistics.minJacobian == 1)
  }

  @Test func `a mirrored half is folded, and a mask leaves it out`() {
    // x + dx = −x from column 4 on: the mapping runs backwards there.
    let flow = Flow(dx: plane(8) { x, _ in x < 4 ? 0 : -2 * Float(x - 4) }, dy: plane(8) { _, _ in 0 })
    let statistics = DeformationStatistics(flow: flow)
    #expect(statistics.foldedFraction == 4.0 / 8 && statistics.minJacobian == -1)
    let left = (0..<64).map { $0 % 8 < 3 }
    let masked = DeformationStatistics(flow: flow, mask: left)
    #expect(masked.foldedFraction == 0 && masked.maxPixels == 0 && masked.pixels == 24)
    #expect(DeformationStatistics(flow: flow, mask: [Bool](repeating: false, count: 64)).pixels == 0)
  }

  /// The golden weights but for these layers, which are zero.
  private static func weights(idle: [String]) throws -> Weights {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tensors = ParameterTable.all.map { parameter in
      let zero = idle.contains { parameter.name.hasPrefix($0 + ".") }
      return NamedTensor(
        name: parameter.name, shape: parameter.shape,
        values: zero
          ? [Float](repeating: 0, count: parameter.shape.reduce(1, *)) : GoldenWeights.values(parameter))
    }
    try SafetensorsFile.write(tensors, to: path)
    return try Weights(path: path)
  }
}
