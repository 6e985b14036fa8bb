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
    let pair = try pair(catalogue(at: fixed), catalogue(at: moving))
    let reference = try ModelLibrary.resolve(model ?? pair.rule.model, folder: settings.models)
    let network = try ModelLibrary.load(reference)
    let volumes = try PairVolumes(pair, settings: settings)
    try volumes.checkOverlap()
    let identity = JobIdentity(pair, modelSHA256: reference.card.sha256, settings: settings)
    let delivery = SliceDelivery(
      volumes: volumes, identity: identity, model: reference.card, settings: settings)
    try FileSystem.createFolder(output)
    let records = RecordBox(count: volumes.slices)
    try await WorkerPool.run(count: volumes.slices, workers: settings.processing.effectiveWorkers) {
      [settings] in
      try SliceFuser(volumes: volumes, model: network, settings: settings)
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
      notes: volumes.fixed.notes + volumes.moving.notes, slices: slices,
      seconds: (ContinuousClock.now - started) / .seconds(1))
  }

  /// The files at a path: one series, and any registrations.
  private func catalogue(at path: String) throws -> Catalogue {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError("read", path, code: ENOENT)
    }
    let files =
      isFolder.boolValue
      ? try DropFolder(path: path, ignore: settings.intake.ignore).scan().map(\.path) : [path]
    var instances: [CataloguedInstance] = []
    for file in files {
      guard
        case .accept(let instance, let digest) = try Examination(knownDigest: { _ in nil }).verdict(on: file)
      else {
        continue
      }
      instances.append(CataloguedInstance(instance: instance, path: file, sha256: digest))
    }
    let catalogue = Catalogue(instances)
    let all = catalogue.series
    guard all.count == 1 else {
      let found = all.map { "\($0.modality) \($0.uid)" }.joined(separator: ", ")
      throw DICOMError(
        .init("not_one_series"), subject: path,
        detail: all.isEmpty
          ? "no image that can be fused lies there; `fuseline plan \(path)` says why"
          : "several series lie there (\(found)); name a folder with one")
    }
    return catalogue
  }

  /// - Parameter sides: fixed, then moving.
  private func pair(_ sides: Catalogue...) throws -> Pair {
    let (fixed, moving) = (sides[0].series[0], sides[1].series[0])
    guard
      let rule = settings.pairing.rules.first(where: {
        $0.fixed.modality == fixed.modality && $0.moving.modality == moving.modality
      })
    else {
      let known = settings.pairing.rules.map(\.name).joined(separator: ", ")
      throw PairRefusal(
        reason: Refusal(
          "no_rule", "no rule fuses \(moving.modality) onto \(fixed.modality); there are \(known)"))
    }
    return try Pairing(settings).pair(
      rule, fixed: fixed, moving: moving, registrations: sides.flatMap(\.registrations))
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
