// The engine against the golden numbers of the PyTorch twin, kept beside these tests.

import Foundation
import Imaging
import Tensors
import Testing

@testable import BSAFusion

@Suite struct GoldenTests {
  static func golden(_ side: Int) throws -> ReferenceTensors {
    try ReferenceTensors(path: Place.goldens.appendingPathComponent("golden\(side).safetensors").path)
  }

  @Test func `the weights made from their names are the generator's, bit for bit`() throws {
    let golden = try Self.golden(32)
    let stored = golden.tensors.filter { $0.key.hasPrefix("weight.") }
    #expect(stored.count == 3)
    for (name, value) in stored {
      let parameter = Parameter(name: String(name.dropFirst("weight.".count)), shape: value.shape)
      #expect(GoldenWeights.values(parameter) == value.values, "\(name)")
    }
  }

  @Test(arguments: [32, 48])
  func `the engine reproduces the twin's numbers`(_ side: Int) throws {
    let golden = try Self.golden(side)
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: side)
    var values: [String: [Float]] = [:]
    let fused = try engine.fuse(fixed: golden.plane("in.fixed"), moving: golden.plane("in.moving")) {
      values[$0] = $2
    }
    values["fused"] = fused.fused.pixels
    values["aligned"] = fused.aligned.pixels
    values["ref64.flow"] = values["flow"]
    values["ref64.fused"] = values["fused"]
    var worst: (String, Float) = ("", 0)
    for (name, expected) in golden.tensors
    where !["in.", "weight.", "colour.", "aligned.n"].contains(where: name.hasPrefix) {
      let difference = Difference(try #require(values[name], "\(name)"), expected.values).greatest
      #expect(difference <= 5e-4, "\(name)")
      if difference > worst.1 { worst = (name, difference) }
    }
    print("golden\(side): worst \(worst.0) \(worst.1)")
  }

  @Test(arguments: [32, 48], Machine.InstructionSet.allCases)
  func `no result is twice as far from the truth as the twin's own in single precision`(
    _ side: Int, _ instructions: Machine.InstructionSet
  ) throws {
    let golden = try Self.golden(side)
    let before = Machine.instructions
    Machine.use(instructions)
    defer { Machine.use(before) }
    let engine = try FusionEngine(model: GoldenWeights.model.get(), side: side)
    let result = try engine.fuse(fixed: golden.plane("in.fixed"), moving: golden.plane("in.moving"))
    let flow = result.flow.dx.pixels + result.flow.dy.pixels
    for (name, ours) in [("flow", flow), ("fused", result.fused.pixels)] {
      let truth = try #require(golden.tensors["ref64.\(name)"]).values
      let twin = Difference(try #require(golden.tensors[name]).values, truth)
      let own = Difference(ours, truth)
      print("golden\(side) \(instructions): \(name) \(own.greatest / twin.greatest) of the twin's error")
      #expect(own.greatest <= 2 * twin.greatest && own.mean <= 2 * twin.mean, "\(name)")
    }
  }

  @Test func `colour goes through the paper's two matrices and rounds like its pictures`() throws {
    let golden = try Self.golden(32)
    func planes(_ name: String) throws -> ColourPlanes {
      let value = try #require(golden.tensors[name])
      let size = value.shape[2] * value.shape[3]
      let parts = (0..<3).map {
        Plane(
          columns: value.shape[3], rows: value.shape[2],
          pixels: Array(value.values[$0 * size..<($0 + 1) * size]))
      }
      return ColourPlanes(parts[0], parts[1], parts[2])
    }
    func all(_ planes: ColourPlanes) -> [Float] {
      planes.first.pixels + planes.second.pixels + planes.third.pixels
    }
    let ycbcr = Colour.ycbcr(fromRGB: try planes("colour.rgb"))
    #expect(Difference(all(ycbcr), all(try planes("colour.ycbcr"))).greatest <= 1e-6)
    let back = Colour.rgb(fromYCbCr: ycbcr)
    #expect(Difference(all(back), all(try planes("colour.back"))).greatest <= 2e-6)
    let bytes = [back.first, back.second, back.third].flatMap { Colour.bytes($0).map(Float.init) }
    #expect(Difference(bytes, try #require(golden.tensors["colour.bytes"]).values).greatest <= 1)
  }

  @Test func `white becomes a luminance of 0.98 and black one of 0.0625`() {
    let grey = Plane(columns: 2, rows: 1, pixels: [1, 0])
    let luminance = Colour.ycbcr(fromRGB: ColourPlanes(grey, grey, grey)).first.pixels
    #expect(abs(luminance[0] - 0.9815) < 1e-6 && luminance[1] == 0.0625)
  }
}
