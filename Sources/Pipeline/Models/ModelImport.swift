// A checkpoint of the published network made into a model of ours: weights file and card – nothing is trained or run.

import BSAFusion
import Checkpoints
import Foundation
import Tensors

/// Converts `torch.save` checkpoints into the folder of models.
public struct ModelImport: Sendable {
  /// Where models are; it must exist.
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// Reads a checkpoint, checks that it is a whole BSAFusion, and puts `<name>.safetensors` and `<name>.json`
  /// into the folder. The card comes last: without it the weights are no model.
  ///
  /// - Parameters:
  ///   - name: lower-case letters, digits, `-`, `_` and `.`; what configurations call the model.
  ///   - pairs: modality pairs for the card, such as `CT-MR`.
  /// - Throws: `ModelError` where the name is taken or unusable, `CheckpointError`, `WeightsError`, `FileError`.
  public func add(checkpoint: String, name: String, pairs: [String]) throws -> ModelReference {
    let target = try free(name)
    let bytes: Data
    do { bytes = try Data(contentsOf: URL(fileURLWithPath: checkpoint), options: .alwaysMapped) } catch {
      throw FileError("read", checkpoint, code: Self.code(of: error))
    }
    let tensors = try bytes.withUnsafeBytes { try TorchCheckpoint.tensors(in: $0, file: checkpoint) }
    try FileSystem.checkWritable(folder)
    let part = target.weights + ".part"
    defer { try? FileSystem.remove(part) }
    try SafetensorsFile.write(
      tensors.map { NamedTensor(name: $0.name, shape: $0.shape, values: $0.values) }, to: part)
    let model = try FusionModel(weights: try Weights(path: part))
    let card = ModelCard(
      name: name, names: [], pairs: pairs, file: (target.weights as NSString).lastPathComponent,
      sha256: model.sha256, parameters: model.parameterCount, provisional: nil)
    try FileSystem.flushFile(part)
    try FileSystem.rename(part, to: target.weights)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileSystem.write(try encoder.encode(card) + Data("\n".utf8), to: target.card)
    return ModelReference(card: card, path: target.weights)
  }

  /// The paths of a new model.
  private func free(_ name: String) throws -> (weights: String, card: String) {
    let usable = name.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "-_.".utf8.contains($0)
    }
    guard usable, let first = name.first, first.isLetter || first.isNumber, name.utf8.count <= 64 else {
      throw ModelError(
        model: name, message: "is no name for a model; use lower-case letters, digits, “-”, “_” and “.”")
    }
    let library = try ModelLibrary(folder: folder)
    if library.models.contains(where: { $0.card.name == name || $0.card.names.contains(name) }) {
      throw ModelError(model: name, message: "is already in \(folder); give another name with --name")
    }
    let base = folder + "/" + name
    for path in [base + ".safetensors", base + ".json"] where FileSystem.exists(path) {
      throw ModelError(
        model: name, message: "\(path) is already there; remove it or give another name with --name")
    }
    return (base + ".safetensors", base + ".json")
  }

  private static func code(of error: any Error) -> Int32 {
    let reason = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    guard reason?.domain == NSPOSIXErrorDomain else {
      return (error as? CocoaError)?.code == .fileReadNoSuchFile ? ENOENT : EIO
    }
    return Int32(reason?.code ?? Int(EIO))
  }
}
