// `fuse`: one pair named by two folders, fused into a third; no drop folder, no store, no ledger.

import DICOM
import Foundation
import Imaging
import Synchronization

/// What an ad hoc fusion made.
public struct AdHocReport: Encodable, Sendable {
  public let series: String
  public let folder: String
  public let outputs: Int
  /// Slices whose deformation was refused.
  public let undeformed: Int
  public let fixed: AppliedNormalization
  public let moving: AppliedNormalization
  public let registration: AppliedRegistration
  public let notes: [String]
  public let slices: [SliceRecord]
  public let seconds: Double
}

public struct AdHocFusion: Sendable {
  let settings: Settings
  /// Name of a model or path of a weights file; nil takes the rule's.
  let model: String?
  let software: Software
  let progress: ProgressHandler

  public init(settings: Settings, model: String?, software: Software, progress: @escaping ProgressHandler)
    throws
  {
    self.settings = settings
    self.model = model
    self.software = software
    self.progress = progress
  }

  /// Fuses the series in `moving` onto the one in `fixed` into `<output>/<SOP Instance UID>.dcm`.
  ///
  /// - Throws: `FileError`, `DICOMError` for a file that is not usable, `PairRefusal` where the two do not belong
  ///   together, `ModelError`, `WeightsError`.
  public func fuse(fixed: String, moving: String, into output: String) async throws -> AdHocReport {
    let started = ContinuousClock.now
    let pair = try AdHocPair(settings: settings).pair(fixed: fixed, moving: moving)
    let reference = try ModelLibrary.resolve(model ?? pair.rule.model, folder: settings.models)
    let network = try ModelLibrary.load(reference)
    if case .rigid = pair.transform { progress(.registering(pair: pair.rule.name)) }
    let volumes = try PairVolumes(pair, settings: settings)
    try volumes.checkOverlap()
    let identity = JobIdentity(pair, modelSHA256: reference.card.sha256, settings: settings)
    let delivery = SliceDelivery(
      volumes: volumes, identity: identity, model: reference.card, settings: settings)
    try FileSystem.createFolder(output)
    let prepared = PreparedSlices()
    let records = RecordBox(count: volumes.slices)
    try await WorkerPool.run(count: volumes.slices, workers: settings.processing.effectiveWorkers) {
      [settings] in
      try SliceFuser(volumes: volumes, model: network, settings: settings, prepared: prepared)
    } body: { [progress] fuser, index in
      let slice = try fuser.fuse(slice: index)
      let capture = try delivery.capture(slice)
      let name = output + "/" + capture.identity.sopInstanceUID + ".dcm"
      let part = output + "/." + capture.identity.sopInstanceUID + ".part"
      _ = try CaptureFile.write(capture, part: part)
      try FileSystem.rename(part, to: name)
      progress(.fusing(pair: pair.rule.name, done: records.put(slice.record, at: index), of: volumes.slices))
    }
    progress(.finished)
    let slices = records.all
    return AdHocReport(
      series: identity.outputSeriesUID, folder: output, outputs: slices.count,
      undeformed: slices.count { !$0.accepted }, fixed: volumes.fixedNormalization,
      moving: volumes.movingNormalization,
      registration: volumes.registration, notes: volumes.fixed.notes + volumes.moving.notes, slices: slices,
      seconds: (ContinuousClock.now - started) / .seconds(1))
  }
}

/// Collects the records of slices that workers finish in any order.
private final class RecordBox: Sendable {
  private let slots: Mutex<[SliceRecord?]>

  init(count: Int) { slots = Mutex([SliceRecord?](repeating: nil, count: count)) }

  /// Returns how many there are now.
  func put(_ record: SliceRecord, at index: Int) -> Int {
    slots.withLock { slots in
      slots[index] = record
      return slots.count { $0 != nil }
    }
  }

  var all: [SliceRecord] { slots.withLock { $0.compactMap { $0 } } }
}
