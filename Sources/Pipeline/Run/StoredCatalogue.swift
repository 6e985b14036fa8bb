// What the ledger and the store already hold, as the pairing sees it; read-only.

import DICOM
import Foundation
import Provenance

/// The accepted instances of a ledger. Without a ledger file there is nothing, and none is made.
struct StoredCatalogue {
  let ledger: Ledger?
  let store: String

  init(settings: Settings) throws {
    let exists = FileManager.default.fileExists(atPath: settings.ledger)
    self.init(
      ledger: exists ? try Ledger.openReadOnly(path: settings.ledger) : nil, store: settings.folders.store)
  }

  init(ledger: Ledger?, store: String) {
    self.ledger = ledger
    self.store = store
  }

  /// Everything there is: for answers about the whole store only.
  func instances() throws -> [CataloguedInstance] { try (ledger?.instances() ?? []).map(catalogued) }

  /// What some studies hold, by Study Instance UID, with all that matters for pairing it: the patients' registrations
  /// of other studies, and every identity that shares their Patient IDs.
  func catalogue(studies: [String]) throws -> Catalogue {
    guard let ledger else { return Catalogue([]) }
    // Late images of a series that retention has let go are not the whole of it, and are not taken for that.
    let gone = try ledger.releasedSeries(studies: studies)
    let own = try ledger.instances(studies: studies).filter { !gone.contains($0.seriesInstanceUID) }
    let registrations = try ledger.instances(
      sopClasses: [SOPClass.spatialRegistration, SOPClass.deformableSpatialRegistration],
      ofPatientsOf: studies)
    let identities = try ledger.identities(sharingPatientIDsOf: studies).map {
      Patient(
        patientID: $0.patientID, issuerOfPatientID: $0.issuer, name: $0.name, birthDate: $0.birthDate,
        sex: $0.sex)
    }
    return Catalogue(try (own + registrations).map(catalogued), identities: identities)
  }

  private func catalogued(_ stored: StoredInstance) throws -> CataloguedInstance {
    CataloguedInstance(
      instance: try stored.header.decode(Instance.self), path: store + "/" + stored.path,
      sha256: stored.sha256)
  }

  /// Was a pair with these very inputs and settings fused before, with whichever model answers to its name?
  func isDone(_ pair: Pair, settings: Settings) throws -> Bool {
    guard let ledger, let model = try? ModelLibrary(folder: settings.models).model(named: pair.rule.model)
    else {
      return false
    }
    let series = JobIdentity(pair, modelSHA256: model.card.sha256, settings: settings).outputSeriesUID
    return try ledger.jobs(fixedSeriesUID: pair.fixed.uid, movingSeriesUID: pair.moving.uid)
      .contains { $0.state == .done && $0.outputSeriesUID == series }
  }
}
