// A job of the ledger made ready to be done again, from what was recorded; nothing is written.

import BSAFusion
import Crypto
import DICOM
import Foundation
public import Provenance

/// The pair, model and settings of a recorded job, as they were.
public struct RecordedJob: Sendable {
  public let volumes: PairVolumes
  let delivery: SliceDelivery
  let model: FusionModel
  let settings: Settings
  private let prepared = PreparedSlices()

  /// - Parameter settings: where store, outputs and models are; what shaped the outputs comes from the ledger.
  /// - Throws: `PairRefusal` where the inputs or the program are not those of then, `ModelError` where the model is
  ///   gone, `LedgerError`, `DICOMError` for stored files that cannot be read.
  public init(_ job: JobRow, ledger: Ledger, settings: Settings) throws {
    let shaped = try settings.shaped(by: Self.recordedSettings(job.job, ledger))
    let reference = try Self.model(job, settings)
    let pair = try Self.pair(job, ledger, shaped)
    let identity = JobIdentity(pair, modelSHA256: reference.card.sha256, settings: shaped)
    guard identity.outputSeriesUID == job.series else {
      throw PairRefusal(
        reason: Refusal(
          "not_the_same_work",
          "the series got other images since, or another version of the program (\(job.software)) made it"))
    }
    self.settings = shaped
    volumes = try PairVolumes(pair, settings: shaped)
    model = try ModelLibrary.load(reference)
    delivery = SliceDelivery(volumes: volumes, identity: identity, model: reference.card, settings: shaped)
  }

  /// An engine for one worker.
  func fuser() throws -> SliceFuser {
    try SliceFuser(volumes: volumes, model: model, settings: settings, prepared: prepared)
  }

  /// Does all slices again, on as many workers as the settings say.
  /// - Parameter body: gets each slice, with the SHA-256 its file would have; in any order, from several threads.
  public func eachSlice(
    progress: @escaping ProgressHandler, _ body: @escaping @Sendable (FusedSlice, String) throws -> Void
  ) async throws {
    let done = SharedCounter(0)
    let count = volumes.slices
    let name = volumes.pair.rule.name
    try await WorkerPool.run(count: count, workers: settings.processing.effectiveWorkers) {
      try fuser()
    } body: { fuser, index in
      let slice = try fuser.fuse(slice: index)
      try body(slice, hex(SHA256.hash(data: delivery.capture(slice).encoded())))
      progress(.fusing(pair: name, done: done.increment(), of: count))
    }
    progress(.finished)
  }

  private static func recordedSettings(_ job: Int64, _ ledger: Ledger) throws -> String {
    let answer = try ledger.sql(
      "SELECT s.text FROM settings s JOIN jobs j ON j.settings_id = s.id WHERE j.id = \(job)")
    guard case .string(let text) = answer.rows.first?.first else {
      throw LedgerError(.damaged, subject: "job:\(job)", detail: "its settings are not in the ledger")
    }
    return text
  }

  private static func model(_ job: JobRow, _ settings: Settings) throws -> ModelReference {
    let library = try ModelLibrary(folder: settings.models)
    if let model = library.models.first(where: { $0.card.sha256 == job.modelSHA256 }) { return model }
    throw ModelError(
      model: job.model ?? "(none)",
      message:
        "weights of SHA-256 \((job.modelSHA256 ?? "").prefix(12))… are not in \(library.folder); put them back"
    )
  }

  private static func pair(_ job: JobRow, _ ledger: Ledger, _ settings: Settings) throws -> Pair {
    let gone = try ledger.releasedSeries(studies: [job.study])
    if gone.contains(job.fixed) || gone.contains(job.moving) {
      throw PairRefusal(
        reason: Refusal(
          "inputs_released", "the images of job \(job.job) were let go by retention; send them again"))
    }
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
}
