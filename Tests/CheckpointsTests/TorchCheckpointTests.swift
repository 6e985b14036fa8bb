// Checkpoints that PyTorch wrote, read without PyTorch; damaged and hostile ones, refused.

import Foundation
import Testing

@testable import Checkpoints

@Suite struct TorchCheckpointTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Files")

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name)))
  }

  private func tensors(_ bytes: [UInt8]) throws -> [CheckpointTensor] {
    try bytes.withUnsafeBytes { try TorchCheckpoint.tensors(in: $0, file: "model.pkl") }
  }

  private func refusal(_ bytes: [UInt8]) throws -> CheckpointError {
    let error = try #require(throws: CheckpointError.self) { try tensors(bytes) }
    #expect(error.description.contains("model.pkl"))
    return error
  }

  /// What make.py puts into every good file.
  private let expected = ["encoder", "fusion_net", "reg_net", "transfer"].flatMap { net in
    let k = Float(["encoder", "transfer", "reg_net", "fusion_net"].firstIndex(of: net) ?? 0)
    return [
      CheckpointTensor(name: "\(net).a.bias", shape: [2], values: [0.5 + k, -2]),
      CheckpointTensor(
        name: "\(net).a.weight", shape: [2, 3], values: (0..<6).map { (Float($0) - 10 * k) / 4 }),
    ]
  }

  @Test(arguments: [
    "plain", "protocol4", "half", "bfloat16", "double", "strided", "parameters", "parallel", "offset",
    "training",
  ])
  func `the tensors of a checkpoint are those that PyTorch saved`(name: String) throws {
    #expect(try tensors(try bytes(name + ".pt")) == expected)
  }

  @Test(arguments: [
    ("hostile", CheckpointError.Reason.forbidden, "posix.system"),
    ("builtin", .forbidden, "builtins.print"), ("module", .forbidden, "torch.nn.modules.linear.Linear"),
    ("old_format", .notZip, "torch before 1.6"), ("three_nets", .incomplete, "reg_net_state_dict"),
    ("infinite", .notFinite, "not a finite number"), ("whole_numbers", .unsupported, "whole numbers"),
    ("expanded", .damaged, "beyond its storage"), ("compressed", .unsupported, "compressed"),
    ("big_endian", .unsupported, "big-endian"), ("short_storage", .damaged, "beyond its storage"),
    ("recursive", .incomplete, "not a dictionary"),
  ])
  func `a file that is not a plain checkpoint is refused with its reason`(
    name: String, reason: CheckpointError.Reason, words: String
  ) throws {
    let error = try refusal(try bytes(name + ".pt"))
    #expect(error.reason == reason)
    #expect(error.detail.contains(words), "\(error.detail)")
  }

  @Test func `a flipped bit in the values is noticed by the checksum`() throws {
    var file = try bytes("plain.pt")
    let value = withUnsafeBytes(of: Float(-2).bitPattern.littleEndian) { Array($0) }
    let place = try #require(file.indices.first { file[$0...].starts(with: value) })
    file[place] ^= 1
    let error = try refusal(file)
    #expect(error.reason == .damaged && error.detail.contains("checksum"))
  }

  @Test func `a file cut anywhere is refused, never read wrongly`() throws {
    let file = try bytes("plain.pt")
    for length in stride(from: 0, to: file.count, by: 7) {
      let error = try refusal(Array(file[..<length]))
      #expect([.notZip, .truncated, .damaged].contains(error.reason), "cut at \(length): \(error)")
    }
  }

  @Test func `a damaged directory or pickle is refused or read right, never a crash`() throws {
    let file = try bytes("plain.pt")
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for _ in 0..<3000 {
      var damaged = file
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        damaged[Int(state >> 33) % file.count] = UInt8(truncatingIfNeeded: state >> 24)
      }
      if let read = try? tensors(damaged) { #expect(read == expected) }
    }
  }

  @Test func `random instructions never crash the pickle reader`() throws {
    let opcodes =
      Array(".(){}]}tesubqrhjNKMJGXcRQ".utf8) + [0x80, 0x85, 0x86, 0x87, 0x88, 0x8A, 0x8C, 0x93, 0x94]
    var state: UInt64 = 7
    for _ in 0..<20_000 {
      let program: [UInt8] = (0..<24).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return opcodes[Int(state >> 33) % opcodes.count]
      }
      _ = try? program.withUnsafeBytes { try PickleReader.read($0) }
    }
  }
}
