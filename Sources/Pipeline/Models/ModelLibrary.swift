// Where the network's weights are and which file serves which name; it does not read the weights themselves.

public import BSAFusion
import Foundation
import Tensors

/// What is written beside a weights file: who made it, for what, and which bytes it must have.
public struct ModelCard: Codable, Hashable, Sendable {
  public var name: String
  /// Names the file answers to, such as `ct-mr`.
  public var names: [String]
  /// Modality pairs it was made for, such as `CT-MR`.
  public var pairs: [String]
  /// File name of the weights, beside the card.
  public var file: String
  public var sha256: String
  public var parameters: Int
  /// Weights that align only somewhat, shipped until better ones are trained.
  public var provisional: Bool?
}

/// A model found on disk.
public struct ModelReference: Codable, Hashable, Sendable {
  public let card: ModelCard
  /// Absolute path of the weights.
  public let path: String
}

/// A model that cannot be used: which, and what to do.
public struct ModelError: Error, Hashable, Sendable, CustomStringConvertible {
  public let model: String
  public let message: String
  public var description: String { "model \(model): \(message)" }
}

/// The models of one folder: every `*.json` there is the card of a weights file.
public struct ModelLibrary: Sendable {
  public let folder: String
  public let models: [ModelReference]

  /// - Parameter folder: nil looks where the program was installed, then beside its source.
  /// - Throws: `ModelError` if there is no such folder or a card in it cannot be read.
  public init(folder: String?) throws {
    guard let path = folder ?? Self.shippedFolder() else {
      throw ModelError(
        model: "(any)", message: "no folder of models beside the program; set `models` in the configuration")
    }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw ModelError(
        model: "(any)", message: "the folder \(path) cannot be read; check `models` in the configuration")
    }
    self.folder = path
    models = try names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted().map { name in
      let cardPath = path + "/" + name
      guard let data = FileManager.default.contents(atPath: cardPath),
        let card = try? JSONDecoder().decode(ModelCard.self, from: data)
      else { throw ModelError(model: name, message: "the card \(cardPath) is not a model card; restore it") }
      return ModelReference(card: card, path: path + "/" + card.file)
    }
  }

  /// The model that answers to a name.
  ///
  /// - Throws: `ModelError` naming what there is.
  public func model(named name: String) throws -> ModelReference {
    if let model = models.first(where: { $0.card.name == name || $0.card.names.contains(name) }) {
      return model
    }
    let known = models.flatMap { [$0.card.name] + $0.card.names }.sorted().joined(separator: ", ")
    throw ModelError(model: name, message: "not in \(folder); there are: \(known.isEmpty ? "none" : known)")
  }

  /// A model by name, or by the path of a weights file without a card.
  ///
  /// - Throws: `ModelError`; `WeightsError` where a named file is not one of weights.
  public static func resolve(_ nameOrPath: String, folder: String?) throws -> ModelReference {
    guard nameOrPath.hasSuffix(".safetensors") else {
      return try ModelLibrary(folder: folder).model(named: nameOrPath)
    }
    guard FileManager.default.fileExists(atPath: nameOrPath) else {
      throw ModelError(model: nameOrPath, message: "there is no such file")
    }
    let weights = try Weights(path: nameOrPath)
    let name = ((nameOrPath as NSString).lastPathComponent as NSString).deletingPathExtension
    let card = ModelCard(
      name: name, names: [], pairs: [], file: nameOrPath, sha256: weights.sha256,
      parameters: weights.parameterCount, provisional: nil)
    return ModelReference(card: card, path: nameOrPath)
  }

  /// Loads weights and checks them against their card.
  ///
  /// - Throws: `ModelError` on another digest, `WeightsError` on a damaged file or wrong tensors.
  public static func load(
    _ model: ModelReference, keepingIdleBranches: Bool = false
  ) throws -> FusionModel {
    guard FileManager.default.fileExists(atPath: model.path) else {
      throw ModelError(
        model: model.card.name, message: "its weights \(model.path) are missing; install them again")
    }
    let weights = try Weights(path: model.path)
    // The digest is taken beside the making of the network; a file that was changed says so, whatever else is wrong.
    let network = Result { try FusionModel(weights: weights, keepingIdleBranches: keepingIdleBranches) }
    guard weights.sha256 == model.card.sha256 else {
      throw ModelError(
        model: model.card.name,
        message:
          "\(model.path) has SHA-256 \(weights.sha256.prefix(12))…, its card says \(model.card.sha256.prefix(12))…; "
          + "the file was changed or is incomplete: install it again")
    }
    return try network.get()
  }

  /// The network of a name, or of a weights file without a card.
  ///
  /// - Parameter waiting: whether the file's weights are all read when this returns (see `FusionModel`).
  /// - Throws: as `resolve` and `load`.
  public static func network(
    _ nameOrPath: String, folder: String?, keepingIdleBranches: Bool = false, waiting: Bool = true
  ) throws -> FusionModel {
    guard nameOrPath.hasSuffix(".safetensors") else {
      return try load(
        resolve(nameOrPath, folder: folder), keepingIdleBranches: keepingIdleBranches)
    }
    guard FileManager.default.fileExists(atPath: nameOrPath) else {
      throw ModelError(model: nameOrPath, message: "there is no such file")
    }
    return try FusionModel(
      weights: Weights(path: nameOrPath, digesting: false), keepingIdleBranches: keepingIdleBranches,
      waiting: waiting)
  }

  private static func shippedFolder() -> String? {
    if let path = ProcessInfo.processInfo.environment["FUSELINE_MODELS"], !path.isEmpty { return path }
    guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
      return nil
    }
    var folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
    let installed = folder.deletingLastPathComponent().appendingPathComponent("share/fuseline/models").path
    if FileManager.default.fileExists(atPath: installed) { return installed }
    while folder.path != "/" {
      let models = folder.appendingPathComponent("Models").path
      let manifest = folder.appendingPathComponent("Package.swift").path
      if FileManager.default.fileExists(atPath: manifest) && FileManager.default.fileExists(atPath: models) {
        return models
      }
      folder = folder.deletingLastPathComponent()
    }
    return nil
  }
}
