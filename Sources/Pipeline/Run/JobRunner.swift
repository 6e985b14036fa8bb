// One pair from job row to published slices: read, prepare, fuse on all cores, deliver, finish.

import BSAFusion
import DICOM
import Foundation
import Imaging
import Logging
import Provenance

/// Works off the jobs of one run.
struct JobRunner: Sendable {
  let settings: Settings
  let ledger: Ledger
  let run: Int64
  /// Row ids under which settings and software are registered.
  let settingsRow: Int64
  let softwareRow: Int64
  let logger: Logger
  let now: @Sendable () -> Date
  let progress: ProgressHandler

  /// Records that a pair is unsafe to fuse.
  func reject(_ pair: RejectedPair) throws {
    let identity = [pair.fixed, pair.moving].flatMap { $0.members.map(\.sha256).sorted() }.joined(
      separator: "\n")
    let job = try ledger.openJob(
      NewJob(
        kind: pair.rule.name, fixedSeriesUID: pair.fixed.uid, movingSeriesUID: pair.moving.uid,
        inputsSHA256: sha256Hex(identity), model: nil, settings: settingsRow, software: softwareRow,
        outputSeriesUID: nil), run: run)
    guard job.state != .rejected else { return }
    try ledger.rejectJob(job.id, reason: pair.reason.code, sentence: pair.reason.sentence)
    logger.warning("a pair was refused", metadata: ["job": "\(job.id)", "reason": "\(pair.reason.code)"])
  }

  /// Records series that are unsafe to use, and takes back what no longer holds.
  ///
  /// - Returns: the series refused now that were not before.
  func record(_ leftOut: [LeftOut], of catalogue: Catalogue) throws -> [LeftOut] {
    let rejected = Dictionary(leftOut.filter(\.isRejected).map { ($0.series.uid, $0) }) { first, _ in first }
    var news: [LeftOut] = []
    for study in Set(catalogue.series.map(\.studyInstanceUID)).sorted() {
      for stored in try ledger.series(study: study) {
        if let now = rejected[stored.uid] {
          if stored.reason != now.reason.code { news.append(now) }
          try ledger.setSeries(
            stored.uid, state: .rejected, reason: now.reason.code, sentence: now.reason.sentence)
        } else if stored.state == .rejected {
          try ledger.setSeries(stored.uid, state: .accepted, reason: nil, sentence: nil)
        }
      }
    }
    return news
  }

  /// Fuses a pair unless that was done before.
  ///
  /// - Throws: what would stop every other job as well: a full disk, a lost ledger. Anything else ends this job
  ///   as failed or rejected, with its reason.
  func fuse(_ pair: Pair, with model: LoadedModel) async throws {
    let identity = JobIdentity(pair, modelSHA256: model.reference.card.sha256, settings: settings)
    let job = try ledger.openJob(
      NewJob(
        kind: pair.rule.name, fixedSeriesUID: pair.fixed.uid, movingSeriesUID: pair.moving.uid,
        inputsSHA256: identity.inputsSHA256, model: model.row, settings: settingsRow, software: softwareRow,
        outputSeriesUID: identity.outputSeriesUID, plannedSlices: pair.fixedPlan.grid.slices), run: run)
    FaultPoint.reach(.jobOpened)
    if job.state == .superseded {
      try ledger.reinstateJob(job.id)
      try supersedeOthers(than: job)
    }
    guard isDue(try ledger.jobState(job.id)) else { return }
    let attempt = try ledger.startAttempt(job: job.id, run: run, worker: ProcessInfo.processInfo.hostName)
    FaultPoint.reach(.attemptStarted)
    do {
      try await work(pair, model, identity, job: job.id, attempt: attempt)
      try supersedeOthers(than: job)
    } catch let error as LedgerError {
      throw error
    } catch let error as CancellationError {
      // Told to stop: the job stays as it is, and the next start takes it up where it was left.
      throw error
    } catch {
      try end(job, with: error)
      if MachineFault(error).isNoSpace { throw error }
    }
  }

  private func isDue(_ job: Job) -> Bool {
    switch job.state {
    case .pending: true
    // A full disk is nobody's mistake: however often it was full, the job is tried again.
    case .failed: job.attempts < settings.processing.attempts || job.reason == MachineFault.noSpace
    case .running, .done, .rejected, .superseded: false
    }
  }

  private func work(
    _ pair: Pair, _ model: LoadedModel, _ identity: JobIdentity, job: Int64, attempt: Int64
  ) async throws {
    let volumes = try PairVolumes(pair, settings: settings)
    try volumes.checkOverlap()
    try ledger.recordPreparation(volumes.preparation(settings), job: job)
    FaultPoint.reach(.pairPrepared)
    let delivery = SliceDelivery(
      volumes: volumes, identity: identity, model: model.reference.card, settings: settings)
    let publisher = Publisher(ledger: ledger, output: settings.folders.output, job: job, attempt: attempt)
    let published = try ledger.publishedSlices(job: job)
    let open = (0..<volumes.slices).filter { !published.contains($0) }
    let done = SharedCounter(published.count)
    try await WorkerPool.run(count: open.count, workers: settings.processing.effectiveWorkers) {
      try SliceFuser(volumes: volumes, model: model.model, settings: settings)
    } body: { fuser, index in
      let slice = try fuser.fuse(slice: open[index])
      FaultPoint.reach(.sliceFused)
      let capture = try delivery.capture(slice)
      try publisher.publish(capture, at: delivery.path(capture), index: slice.index) { output in
        delivery.publication(slice, output)
      }
      progress(.fusing(pair: pair.rule.name, done: done.increment(), of: volumes.slices))
    }
    FaultPoint.reach(.slicesDone)
    try ledger.finishJob(job)
    FaultPoint.reach(.jobFinished)
  }

  /// Data that cannot be used rejects the pair; everything else is ours or the machine's and is tried again.
  private func end(_ job: Job, with error: any Error) throws {
    switch error {
    case let error as DICOMError where !error.reason.isOfTheMachine:
      try ledger.rejectJob(job.id, reason: error.reason.rawValue, sentence: error.detail)
    case let error as ImagingError:
      try ledger.rejectJob(job.id, reason: "unusable_values", sentence: error.description)
    case let error as PairRefusal:
      try ledger.rejectJob(job.id, reason: error.reason.code, sentence: error.reason.sentence)
    default:
      let fault = MachineFault(error)
      let isLast = !fault.isNoSpace && job.attempts + 1 >= settings.processing.attempts
      try ledger.failJob(job.id, reason: fault.code, sentence: fault.sentence, retryAt: isLast ? nil : now())
    }
    logger.error("a job ended without its outputs", metadata: ["job": "\(job.id)"])
  }

  /// The same pair done otherwise, with fewer images or another model, is marked as replaced; its files stay.
  private func supersedeOthers(than job: Job) throws {
    for other in try ledger.jobs(fixedSeriesUID: job.fixedSeriesUID, movingSeriesUID: job.movingSeriesUID)
    where other.id != job.id && other.kind == job.kind && other.state != .superseded {
      try ledger.supersedeJob(other.id, by: job.id, reason: "other_inputs_model_or_settings")
    }
  }
}

extension ProcessingSettings {
  var effectiveWorkers: Int { workers == 0 ? ProcessInfo.processInfo.activeProcessorCount : workers }
}

/// A failure that is ours or the machine's, as the ledger records it.
struct MachineFault {
  static let noSpace = "no_space"

  let code: String
  let sentence: String

  init(_ error: any Error) {
    switch error {
    case let error as FileError:
      code = error.isNoSpace ? Self.noSpace : "file_error"
      sentence = error.description
    case let error as DICOMError:
      code = error.reason.rawValue
      sentence = "\(error.subject): \(error.detail)"
    default:
      code = "failed"
      sentence = "\(error)"
    }
  }

  var isNoSpace: Bool { code == Self.noSpace }
}

extension DICOMError.Reason {
  /// The disk or a permission, not the data.
  var isOfTheMachine: Bool { [.noSpace, .cannotWrite, .unreadable, .noDictionary].contains(self) }
}
