// Reading reference tensors for comparison – with a reader of its own, so that ours is not judged by itself.

import Foundation
import Imaging
import Testing

@testable import BSAFusion

/// Tensors of a safetensors file, F32 or U8 widened to Float.
struct ReferenceTensors {
  struct Value {
    let shape: [Int]
    let values: [Float]
  }

  private struct Failure: Error {}

  let tensors: [String: Value]

  init(path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = Int(
      data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) })
    guard let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any] else {
      throw Failure()
    }
    var tensors: [String: Value] = [:]
    for (name, entry) in header where name != "__metadata__" {
      guard let entry = entry as? [String: Any], let shape = entry["shape"] as? [Int],
        let offsets = entry["data_offsets"] as? [Int], let type = entry["dtype"] as? String
      else { throw Failure() }
      let bytes = data[8 + length + offsets[0]..<8 + length + offsets[1]]
      let values: [Float] =
        type == "U8"
        ? bytes.map(Float.init)
        : [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
          count = bytes.copyBytes(to: buffer) / 4
        }
      tensors[name] = Value(shape: shape, values: values)
    }
    self.tensors = tensors
  }

  func plane(_ name: String) throws -> Plane {
    let value = try #require(tensors[name])
    return Plane(columns: value.shape[3], rows: value.shape[2], pixels: value.values)
  }
}

/// The repository's folder and the reference data beside it, where present.
enum Place {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let goldens = root.appendingPathComponent("Tests/BSAFusionTests/Goldens")
  static let parity = root.deletingLastPathComponent().appendingPathComponent("shared/parity")
  static var hasParity: Bool { FileManager.default.fileExists(atPath: parity.path) }
}

/// Greatest and mean absolute difference; NaN anywhere gives infinity.
struct Difference {
  var greatest: Float = 0
  var mean = 0.0

  init(_ a: [Float], _ b: [Float]) {
    guard a.count == b.count else {
      greatest = .infinity
      return
    }
    var sum = 0.0
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for i in 0..<a.count {
          let d = abs(a[i] - b[i])
          if !(d <= greatest) { greatest = d.isNaN ? .infinity : d }
          sum += Double(d)
        }
      }
    }
    mean = sum / Double(max(a.count, 1))
  }
}
