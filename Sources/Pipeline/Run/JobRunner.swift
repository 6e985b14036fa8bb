// One pair from job row to published slices: opened, handed to the worker, published, ended.

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
  let worker: WorkerProcess
  let logger: Logger
  let now: @Sendable () -> Date
  let progress: ProgressHandler
  let supervision: Supervision

  /// A job that was interrupted this often by the end of the program is given up: it may be what ends it.
  static let interruptionsAllowed = 10

  /// Records that a pair is unsafe to fuse.
  ///
  /// - Returns: the job's row id.
  func reject(_ pair: RejectedPair) throws -> Int64 {
    let identity = [pair.fixed, pair.moving].flatMap { $0.members.map(\.sha256).sorted() }.joined(
      separator: "\n")
    let job = try ledger.openJob(
      NewJob(
        kind: pair.rule.name, fixedSeriesUID: pair.fixed.uid, movingSeriesUID: pair.moving.uid,
        inputsSHA256: sha256Hex(identity), model: nil, settings: settingsRow, software: softwareRow,
        outputSeriesUID: nil), run: run)
    guard job.state != .rejected else { return job.id }
    try ledger.rejectJob(job.id, reason: pair.reason.code, sentence: pair.reason.sentence)
    logger.warning("a pair was refused", metadata: ["job": "\(job.id)", "reason": "\(pair.reason.code)"])
    return job.id
  }

  /// Fuses a pair unless that was done before.
  ///
  /// - Parameter retry: which failed jobs are tried again.
  /// - Returns: the job's row id.
  /// - Throws: what would stop every other job as well: a full disk, a lost ledger, a missing model, being told to
  ///   stop. Anything else ends this job as failed or rejected, with its reason.
  func fuse(_ pair: Pair, with model: RegisteredModel, retry: RetryTime) async throws -> Int64 {
    let identity = JobIdentity(pair, modelSHA256: model.reference.card.sha256, settings: settings)
    let new = NewJob(
      kind: pair.rule.name, fixedSeriesUID: pair.fixed.uid, movingSeriesUID: pair.moving.uid,
      inputsSHA256: identity.inputsSHA256, model: model.row, settings: settingsRow, software: softwareRow,
      outputSeriesUID: identity.outputSeriesUID, plannedSlices: pair.fixedPlan.grid.slices)
    let (job, attempt) = try begin(new, retry)
    guard let attempt else { return job.id }
    FaultPoint.reach(.attemptStarted)
    let task = WorkTask(
      settings: settings, pair: pair, model: model.reference,
      published: try ledger.publishedSlices(job: job.id))
    if case .rigid = pair.transform { progress(.registering(pair: pair.rule.name)) }
    switch try await perform(task, job: job.id, attempt: attempt) {
    case .done:
      FaultPoint.reach(.slicesDone)
      try ledger.finishJob(job.id)
      FaultPoint.reach(.jobFinished)
      try supersedeOthers(than: job)
    case .ended(let failure):
      try Reconciliation.run(ledger, logger: logger)
      try end(job, with: failure)
    case .stopped, .prepared, .written:
      let reason = supervision.stopReason() ?? .interrupted
      try Reconciliation.run(ledger, logger: logger)
      try ledger.pauseJob(job.id, reason: reason.rawValue)
      if reason == .interrupted { throw CancellationError() }
    }
    return job.id
  }

  /// Opens the job, or takes up the one that is there, and starts an attempt, as one change: most jobs are new ones.
  ///
  /// - Returns: the job as it stood before the attempt; no attempt where there is nothing to do.
  private func begin(_ new: NewJob, _ retry: RetryTime) throws -> (job: Job, attempt: Int64?) {
    let begun = try ledger.transaction { () -> (Job, Int64?) in
      var job = try ledger.openJob(new, run: run)
      if job.state == .superseded {
        try ledger.reinstateJob(job.id)
        try supersedeOthers(than: job)
        job = try ledger.jobState(job.id)
      }
      guard try isDue(job, retry) else { return (job, nil) }
      return (
        job, try ledger.startAttempt(job: job.id, run: run, worker: ProcessInfo.processInfo.hostName)
      )
    }
    FaultPoint.reach(.jobOpened)
    return begun
  }

  private func isDue(_ job: Job, _ retry: RetryTime) throws -> Bool {
    switch job.state {
    case .pending:
      guard job.attempts >= Self.interruptionsAllowed else { return true }
      try ledger.failJob(
        job.id, reason: "interrupted",
        sentence:
          "the program ended \(job.attempts) times while it worked on this, see its log for the reason",
        retryAt: nil)
      return false
    case .failed: return retry.includes(job.retryAt)
    case .running, .done, .rejected, .superseded: return false
    }
  }

  /// The worker's last word on a task; a lost worker is a failure like another.
  private func perform(_ task: WorkTask, job: Int64, attempt: Int64) async throws -> WorkReport {
    do {
      return try await onThread { try converse(task, job: job, attempt: attempt) }
    } catch is WorkerLoss where supervision.stopReason() == .interrupted {
      // It did not come to an end in the time the program has to stop, or went with it: nobody's fault.
      return .stopped
    } catch WorkerLoss.crashed(let how) {
      return .ended(
        WorkFailure(.failed, code: "worker_crashed", sentence: "the worker process was lost (\(how))"))
    } catch WorkerLoss.timedOut {
      let limit = Int(settings.processing.deadline)
      return .ended(
        WorkFailure(.failed, code: "timeout", sentence: "not done after \(limit) s, the worker was killed"))
    } catch let error as FileError { return .ended(WorkFailure(error)) }
  }

  private func converse(_ task: WorkTask, job: Int64, attempt: Int64) throws -> WorkReport {
    var publisher = Publisher(ledger: ledger, output: settings.folders.output, job: job, attempt: attempt)
    var published = task.published.count
    func advance(_ slices: Int) {
      guard slices > 0 else { return }
      published += slices
      progress(.fusing(pair: task.pair.rule.name, done: published, of: task.pair.fixedPlan.grid.slices))
    }
    do {
      let last = try worker.perform(task, seconds: settings.processing.deadline) {
        supervision.tick()
        advance(try publisher.publishDue())
        return supervision.stopReason()
      } report: { message in
        switch message {
        case .prepared(let preparation, let outputs, let object):
          let intent = try object.map(publisher.place)
          FaultPoint.reach(.pairPrepared)
          try ledger.transaction {
            try ledger.recordPreparation(preparation, job: job, completing: intent)
            try publisher.intend(outputs)
          }
          FaultPoint.reach(.publishIntended)
          return .go
        case .written(let record): try publisher.take(record)
        case .done, .stopped, .ended: break
        }
        return nil
      }
      advance(try publisher.publishWaiting())
      return last
    } catch let loss as WorkerLoss {
      // What it had completed is as good as ever.
      advance(try publisher.publishWaiting())
      throw loss
    }
  }

  /// Runs `body`, which blocks, on a thread of its own. Cancelling the task is heard by `supervision`.
  private func onThread(_ body: @escaping @Sendable () throws -> WorkReport) async throws -> WorkReport {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
      }
    } onCancel: {
      supervision.interrupt()
    }
  }

  private func end(_ job: Job, with failure: WorkFailure) throws {
    switch failure.kind {
    case .rejected:
      try ledger.rejectJob(
        job.id, reason: failure.code, sentence: failure.sentence,
        registration: failure.registration.map { try JSONDocument(encoding: $0) })
    case .model:
      try ledger.pauseJob(job.id, reason: "model")
      throw ModelError(model: failure.code, message: failure.sentence)
    case .failed:
      let retry = settings.retry.rule(for: failure.code).delay(afterAttempt: job.attempts + 1, of: job.key)
      try ledger.failJob(
        job.id, reason: failure.code, sentence: failure.sentence,
        retryAt: retry.map { now().addingTimeInterval($0) })
      supervision.report(retry == nil ? .deadLetter : .jobFailed, job: job.id, failure)
    }
    logger.error(
      "a job ended without its outputs",
      metadata: ["job": "\(job.id)", "reason": "\(failure.code)", "why": "\(failure.sentence)"])
    if failure.code == MachineFault.noSpace { throw DiskFull(sentence: failure.sentence) }
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
