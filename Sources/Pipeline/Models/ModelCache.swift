// Models of one session: each is looked up and registered once, when the first pair needs it. Workers read the weights.

import Provenance

/// A model that the ledger knows.
struct RegisteredModel: Sendable {
  let reference: ModelReference
  let row: Int64
}

struct ModelCache {
  let folder: String?
  let ledger: Ledger
  private var library: ModelLibrary?
  private var known: [String: RegisteredModel] = [:]

  init(folder: String?, ledger: Ledger) {
    self.folder = folder
    self.ledger = ledger
  }

  /// - Throws: `ModelError` where no model answers to the name.
  mutating func model(named name: String) throws -> RegisteredModel {
    let library = try library ?? ModelLibrary(folder: folder)
    self.library = library
    let reference = try library.model(named: name)
    if let model = known[reference.path] { return model }
    let card = reference.card
    let model = RegisteredModel(
      reference: reference,
      row: try ledger.register(
        model: ModelRecord(
          name: card.name, sha256: card.sha256, path: reference.path, parameters: card.parameters)))
    known[reference.path] = model
    return model
  }
}
