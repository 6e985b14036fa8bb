// `audit reproduce`: one output made anew from what the ledger recorded, and compared; writes nothing anywhere.

import Crypto
import DICOM
import Foundation
import Imaging
import Provenance

/// Whether an output could be made again.
public struct Reproduction: Encodable, Sendable {
  public let output: String
  public let recordedSHA256: String
  public let sha256: String
  public var isIdentical: Bool { recordedSHA256 == sha256 }
  /// Largest difference of any pixel from the published file, grey levels; nil where that file is missing.
  public let largestDifference: Int?
  /// What computed it then and now: results differ between processors in their last bits.
  public let recordedSoftware: String
  public let software: String

  enum CodingKeys: String, CodingKey {
    case output, sha256, software
    case recordedSHA256 = "recorded_sha256"
    case isIdentical = "identical"
    case largestDifference = "largest_difference"
    case recordedSoftware = "recorded_software"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(output, forKey: .output)
    try container.encode(recordedSHA256, forKey: .recordedSHA256)
    try container.encode(sha256, forKey: .sha256)
    try container.encode(isIdentical, forKey: .isIdentical)
    try container.encode(largestDifference, forKey: .largestDifference)
    try container.encode(recordedSoftware, forKey: .recordedSoftware)
    try container.encode(software, forKey: .software)
  }
}

public struct Reproducer: Sendable {
  let settings: Settings
  let software: Software

  /// - Parameter settings: where store, outputs and models are; what shaped the output comes from the ledger.
  public init(settings: Settings, software: Software) {
    self.settings = settings
    self.software = software
  }

  /// - Throws: `PairRefusal` where the inputs, the model or the program are not those of then, `LedgerError`,
  ///   `ModelError`, `DICOMError` for stored files that cannot be read.
  public func reproduce(_ uid: String) throws -> Reproduction {
    let ledger = try Ledger.openReadOnly(path: settings.ledger)
    guard case .output(let lineage) = try ledger.lineage(uid) else {
      throw LedgerError(
        .notFound, subject: uid, detail: "the ledger knows no output of this UID, see audit outputs")
    }
    let shaped = try settings.shaped(by: recordedSettings(lineage.output.job, ledger))
    let reference = try model(lineage)
    let pair = try pair(ledger.job(lineage.output.job).job, ledger, shaped)
    let identity = JobIdentity(pair, modelSHA256: reference.card.sha256, settings: shaped)
    guard identity.outputSeriesUID == lineage.output.series else {
      throw PairRefusal(
        reason: Refusal(
          "not_the_same_work",
          "the series got other images since, or another version of the program (\(lineage.software.version)) made it"
        ))
    }
    let capture = try capture(pair, identity, reference, shaped, slice: lineage.output.slice)
    let published = settings.folders.output + "/" + lineage.output.path
    return Reproduction(
      output: uid, recordedSHA256: lineage.output.sha256,
      sha256: hex(SHA256.hash(data: try capture.encoded())),
      largestDifference: FileSystem.exists(published)
        ? try SecondaryCaptureCheck.largestDifference(path: published, from: capture) : nil,
      recordedSoftware: "\(lineage.software.version), \(lineage.software.blas), \(lineage.software.kernels)",
      software: "\(software.version), \(software.blas), \(software.kernels)")
  }

  private func recordedSettings(_ job: Int64, _ ledger: Ledger) throws -> String {
    let answer = try ledger.sql(
      "SELECT s.text FROM settings s JOIN jobs j ON j.settings_id = s.id WHERE j.id = \(job)")
    guard case .string(let text) = answer.rows.first?.first else {
      throw LedgerError(.damaged, subject: "job:\(job)", detail: "its settings are not in the ledger")
    }
    return text
  }

  private func model(_ lineage: OutputLineage) throws -> ModelReference {
    let library = try ModelLibrary(folder: settings.models)
    let recorded = lineage.model?.sha256
    if let model = library.models.first(where: { $0.card.sha256 == recorded }) { return model }
    throw ModelError(
      model: lineage.model?.name ?? "(none)",
      message:
        "weights of SHA-256 \((recorded ?? "").prefix(12))… are not in \(library.folder); put them back")
  }

  private func pair(_ job: JobRow, _ ledger: Ledger, _ settings: Settings) throws -> Pair {
    let stored = try [job.fixed, job.moving].map { uid in
      try ledger.instances(series: uid).map {
        CataloguedInstance(
          instance: try $0.header.decode(Instance.self), path: settings.folders.store + "/" + $0.path,
          sha256: $0.sha256)
      }
    }
    let series = stored.compactMap { Catalogue($0).series.first }
    guard series.count == 2, let rule = settings.pairing.rules.first(where: { $0.name == job.kind }) else {
      throw PairRefusal(
        reason: Refusal("inputs_missing", "the ledger no longer holds both series of job \(job.job)"))
    }
    let registrations = try StoredCatalogue(ledger: ledger, store: settings.folders.store)
      .catalogue(studies: series.map(\.studyInstanceUID)).registrations
    return try Pairing(settings).pair(
      rule, fixed: series[0], moving: series[1], registrations: registrations)
  }

  private func capture(
    _ pair: Pair, _ identity: JobIdentity, _ reference: ModelReference, _ settings: Settings, slice: Int
  ) throws -> SecondaryCapture {
    let volumes = try PairVolumes(pair, settings: settings)
    let fuser = try SliceFuser(volumes: volumes, model: ModelLibrary.load(reference), settings: settings)
    let delivery = SliceDelivery(
      volumes: volumes, identity: identity, model: reference.card, settings: settings)
    return try delivery.capture(fuser.fuse(slice: slice))
  }
}
