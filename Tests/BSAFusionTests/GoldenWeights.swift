// The weights behind the golden numbers, made from the tensors' names – the rule of Goldens/README.md.

import Foundation
import Tensors

@testable import BSAFusion

enum GoldenWeights {
  /// Gain on a weight's bound by the first text contained in the name.
  static let gains: [(String, Double)] = [
    ("F1.mdta.conv1", 2.0), ("F1.mdta.conv2", 2.0), ("F2.mdta.conv1", 1.3), ("F2.mdta.conv2", 1.3),
    ("F3.mdta.conv1", 1.3), ("F3.mdta.conv2", 1.3), ("F4.mdta.conv1", 0.6), ("F4.mdta.conv2", 0.6),
    ("mdta.conv1", 0.45), ("mdta.conv2", 0.45), ("crossAtt1", 3.0), ("flow_output", 0.35), ("D.up", 2.0),
    ("outLayer.1", 1.0),
  ]
  static let defaultGain = 1.7

  /// FNV-1a, 64 bit.
  static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  static func values(_ parameter: Parameter) -> [Float] {
    let (centre, bound) = scale(parameter), start = hash(parameter.name)
    let count = parameter.shape.reduce(1, *)
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      var state = start
      for i in 0..<count {
        state &+= 0x9E37_79B9_7F4A_7C15
        var s = state
        s = (s ^ (s >> 30)) &* 0xBF58_476D_1CE4_E5B9
        s = (s ^ (s >> 27)) &* 0x94D0_49BB_1331_11EB
        let t = Float((s ^ (s >> 31)) >> 40) * 0x1p-23 - 1
        let scaled = bound * t
        buffer[i] = centre + scaled
      }
      initialized = count
    }
  }

  private static func scale(_ parameter: Parameter) -> (centre: Float, bound: Float) {
    let name = parameter.name, last = name.split(separator: ".").last ?? ""
    if name.contains("norm") { return name.hasSuffix(".weight") ? (1, 0.5) : (0, 0.25) }
    if last.contains("cls") { return (0, 1) }
    if name.hasSuffix("position_embedding") { return (0, 0.5) }
    if name.hasSuffix(".bias") { return (0, 0.125) }
    let fanIn = parameter.shape.dropFirst().reduce(1, *)
    let gain = gains.first { name.contains($0.0) }?.1 ?? defaultGain
    return (0, Float(gain / Double(fanIn).squareRoot()))
  }

  /// One model for all tests: making ten million numbers takes a while in a debug build.
  static let model = Result { () throws -> FusionModel in
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("golden-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SafetensorsFile.write(
      ParameterTable.all.map { NamedTensor(name: $0.name, shape: $0.shape, values: values($0)) }, to: path)
    return try FusionModel(weights: Weights(path: path))
  }
}
