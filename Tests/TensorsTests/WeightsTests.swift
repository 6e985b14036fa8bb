// Reading and writing safetensors, and every way a file can be wrong.

import Crypto
import Foundation
import Testing

@testable import Tensors

@Suite struct WeightsTests {
  /// A file with these bytes, removed after the body.
  private func withFile<T>(_ bytes: [UInt8], _ body: (String) throws -> T) throws -> T {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors")
    try Data(bytes).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    return try body(path.path)
  }

  private func file(_ json: String, data: [UInt8] = []) -> [UInt8] {
    withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Array($0) } + Array(json.utf8) + data
  }

  /// The error that opening such a file gives.
  private func refusal(_ bytes: [UInt8]) throws -> WeightsError {
    try withFile(bytes) { path in
      let error = try #require(throws: WeightsError.self) { try Weights(path: path) }
      #expect(error.file == path && error.description.contains(path))
      return error
    }
  }

  private func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0) { Array($0) } }
  }

  @Test func `what is written is read back with its names, shapes and digest`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let matrix = NamedTensor(name: "a \"quoted\" name", shape: [2, 3], values: [1, 2, 3, 4, 5, -0.5])
    let empty = NamedTensor(name: "nothing", shape: [0, 4], values: [])
    try SafetensorsFile.write([matrix, empty], to: path)
    let weights = try Weights(path: path)
    #expect(weights.names == [matrix.name, "nothing"])
    #expect(weights.parameterCount == 6)
    #expect(weights.shape(of: matrix.name) == [2, 3] && weights.shape(of: "other") == nil)
    #expect(try weights.values(matrix.name, shape: [2, 3]) == matrix.values)
    #expect(try weights.values("nothing", shape: [0, 4]) == [])
    let digest = SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(weights.sha256 == digest.map { String(format: "%02x", $0) }.joined())
  }

  @Test func `half precision is widened exactly, subnormals and signs included`() throws {
    // 1, −2, 65504, 2⁻²⁴, −0 and 1/3 rounded to half.
    let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000, 0x3555]
    let data = halves.flatMap { withUnsafeBytes(of: $0) { Array($0) } }
    let json = #"{"x":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}"#
    try withFile(file(json, data: data)) { path in
      let values = try Weights(path: path).values("x", shape: [6])
      #expect(values == [1, -2, 65504, 0x1p-24, 0, 0.333251953125])
      #expect(values[4].sign == .minus)
    }
  }

  @Test func `metadata is kept apart from the tensors`() throws {
    let json = #"{"__metadata__":{"card":"x"},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#
    try withFile(file(json, data: floats([7]))) { path in
      let weights = try Weights(path: path)
      #expect(weights.metadata == ["card": "x"] && weights.names == ["x"])
      #expect(try weights.values("x", shape: []) == [7])
    }
  }

  @Test func `a missing file, a folder and an empty file are refused by name`() throws {
    let missing = try #require(throws: WeightsError.self) { try Weights(path: "/nowhere/model.safetensors") }
    #expect(missing.reason == .unreadable && missing.description.contains("/nowhere/model.safetensors"))
    let folder = try #require(throws: WeightsError.self) { try Weights(path: "/tmp") }
    #expect(folder.reason == .unreadable && folder.detail.contains("not a regular file"))
    #expect(try refusal([]).reason == .truncated)
    #expect(try refusal([1, 2, 3]).reason == .truncated)
  }

  @Test func `a header that is too long, ends early or is no JSON is refused`() throws {
    #expect(try refusal(Array("not a safetensors file at all".utf8)).reason == .notSafetensors)
    #expect(
      try refusal(Array(file(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#).prefix(20))).reason
        == .truncated)
    #expect(try refusal(file("[1, 2]")).reason == .notSafetensors)
    #expect(try refusal(file("{\"x\"")).reason == .notSafetensors)
    #expect(
      try refusal(file(#"{"x":{"dtype":"F32","shape":["a"],"data_offsets":[0,4]}}"#)).reason
        == .notSafetensors)
    #expect(try refusal([0, 0, 0, 0, 0, 0, 0, 0]).reason == .notSafetensors)
  }

  @Test(arguments: [
    (
      #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, WeightsError.Reason.truncated, "4 are there"
    ),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, .damaged, "needs 8 bytes but has 4"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, .damaged, "impossible offsets"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, .damaged, "impossible offsets"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, .damaged, "impossible offsets"),
    (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, .damaged, "impossible shape"),
    (
      #"{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, .damaged,
      "impossible shape"
    ),
    (#"{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#, .unsupportedType, "BF16"),
    (#"{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,4]}}"#, .unsupportedType, "I64"),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      .damaged, "overlaps"
    ),
    (#"{"x":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}"#, .damaged, "hole"),
  ])
  func `an entry that does not fit the bytes is refused with its name`(
    _ json: String, _ reason: WeightsError.Reason, _ words: String
  ) throws {
    let error = try refusal(file(json, data: [0, 0, 0, 0]))
    #expect(error.reason == reason && error.tensor == "x")
    #expect(error.detail.contains(words), "\(error)")
  }

  @Test func `bytes after the last tensor are refused`() throws {
    let json = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let error = try refusal(file(json, data: [0, 0, 0, 0, 9]))
    #expect(error.reason == .damaged && error.detail.contains("1 bytes after"))
  }

  @Test func `a tensor that is missing, misshapen or not finite is named`() throws {
    let json =
      #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
    try withFile(file(json, data: floats([1, .nan, -.infinity]))) { path in
      let weights = try Weights(path: path)
      func error(_ name: String, _ shape: [Int]) throws -> WeightsError {
        try #require(throws: WeightsError.self) { try weights.values(name, shape: shape) }
      }
      let missing = try error("z", [1])
      #expect(missing.reason == .missingTensor && missing.tensor == "z" && missing.detail.contains("[1]"))
      let misshapen = try error("x", [1, 2])
      #expect(
        misshapen.reason == .wrongShape && misshapen.detail.contains("[2]")
          && misshapen.detail.contains("[1, 2]"))
      #expect(try error("x", [2]).reason == .notFinite)
      #expect(try error("y", [1]).reason == .notFinite)
    }
  }

  @Test func `a folder that is not there cannot be written to`() throws {
    let error = try #require(throws: WeightsError.self) {
      try SafetensorsFile.write(
        [NamedTensor(name: "x", shape: [1], values: [1])], to: "/nowhere/x.safetensors")
    }
    #expect(error.reason == .unwritable && error.file == "/nowhere/x.safetensors")
  }

  @Test func `a full disk is reported, not passed over`() throws {
    let error = try #require(throws: WeightsError.self) {
      try SafetensorsFile.write(
        [NamedTensor(name: "x", shape: [1 << 16], values: [Float](repeating: 1, count: 1 << 16))],
        to: "/dev/full")
    }
    #expect(error.reason == .unwritable)
  }
}
