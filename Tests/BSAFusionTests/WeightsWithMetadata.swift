// Weights that say something of themselves.

import Foundation
import Tensors

@testable import BSAFusion

/// Golden weights in a file of their own with these metadata, as long as `body` runs.
func withWeights<Result>(
  _ metadata: [String: String], _ body: (Weights) throws -> Result
) throws -> Result {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("\(UUID().uuidString).safetensors").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try SafetensorsFile.write(
    ParameterTable.all.map {
      NamedTensor(name: $0.name, shape: $0.shape, values: GoldenWeights.values($0))
    },
    metadata: metadata, to: path)
  return try body(try Weights(path: path))
}
