// Models of one run: each is read, checked and registered once, when the first pair needs it.

import BSAFusion
import Provenance

/// A model ready to fuse, and its row in the ledger.
struct LoadedModel: Sendable {
  let reference: ModelReference
  let model: FusionModel
  let row: Int64
}

struct ModelCache {
  let folder: String?
  let ledger: Ledger
  private var library: ModelLibrary?
  private var loaded: [String: LoadedModel] = [:]

  init(folder: String?, ledger: Ledger) {
    self.folder = folder
    self.ledger = ledger
  }

  mutating func model(named name: String) throws -> LoadedModel {
    let library = try library ?? ModelLibrary(folder: folder)
    self.library = library
    let reference = try library.model(named: name)
    if let model = loaded[reference.path] { return model }
    let card = reference.card
    let model = LoadedModel(
      reference: reference, model: try ModelLibrary.load(reference),
      row: try ledger.register(
        model: ModelRecord(
          name: card.name, sha256: card.sha256, path: reference.path, parameters: card.parameters)))
    loaded[reference.path] = model
    return model
  }
}
