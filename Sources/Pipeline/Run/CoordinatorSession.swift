// One process at work on the ledger: folders ready, lease held and renewed, the run opened and closed.

import BSAFusion
import Foundation
import Logging
import Provenance

/// What a pass and the watcher share: everything between taking the lease and giving it back.
struct CoordinatorSession: Sendable {
  /// How long the lease holds without being renewed, and how often it is.
  static let leaseSeconds = 60.0
  static let renewalSeconds = 20.0

  let settings: Settings
  let ledger: Ledger
  let run: Int64
  let intake: Intake
  let runner: JobRunner
  let supervision: Supervision
  let alerts: Alerts
  /// See `workloadKey(_:)`.
  let workloadKey: String

  /// Opens the ledger under the lease, settles what a crash left, and runs `body` as one run of the ledger.
  ///
  /// - Parameter isResumed: did a session of this process end for want of space? What it left open is its own, and
  ///   no job is blamed for it.
  /// - Throws: `FileError` where a folder cannot be used, `LedgerError`, `LeaseHeld` where another coordinator
  ///   works, and whatever `body` throws. A cancelled body ends the run as interrupted.
  static func with<Result: Sendable>(
    _ context: RunContext, command: String, isResumed: Bool = false,
    body: (CoordinatorSession) async throws -> Result
  ) async throws -> Result {
    let settings = context.settings
    // A worker or an alert command that is gone while it is written to is an error of the write, not our end.
    signal(SIGPIPE, SIG_IGN)
    try prepare(settings.folders)
    let ledger = try Ledger.open(path: settings.ledger, clock: context.now)
    let lease = try ledger.acquireLease(seconds: leaseSeconds) { owner in
      !(isResumed && owner == .current()) && LeaseOwner.isAlive(owner)
    }
    FaultPoint.reach(.leaseTaken)
    let renewal = renew(lease, of: ledger)
    defer { renewal.cancel() }
    try Reconciliation.run(ledger, logger: context.logger)
    if isResumed { try ledger.pauseRunningJobs(reason: StopReason.lowSpace.rawValue) }
    FaultPoint.reach(.reconciled)
    let session = try open(context, ledger, command: command)
    do {
      let result = try await body(session)
      FaultPoint.reach(.runFinishing)
      try ledger.finishRun(session.run, outcome: .done)
      try session.sign()
      renewal.cancel()
      try ledger.releaseLease(lease)
      let effort = ledger.effort
      context.logger.debug(
        "ledger written",
        metadata: [
          "transactions": "\(effort.transactions)", "seconds": "\(effort.seconds)",
          "processor_seconds": "\(effort.processor)",
        ])
      return result
    } catch {
      // The error says what to do; run and lease are closed if the ledger can still be written.
      try? ledger.finishRun(session.run, outcome: error is CancellationError ? .interrupted : .failed)
      try? session.sign()
      renewal.cancel()
      try? ledger.releaseLease(lease)
      throw error
    }
  }

  private static func prepare(_ folders: Settings.Folders) throws {
    let all = [folders.inbox, folders.store, folders.output, folders.quarantine]
    for folder in all { try FileSystem.createFolder(folder) }
    for folder in all { try FileSystem.checkWritable(folder) }
  }

  private static func open(_ context: RunContext, _ ledger: Ledger, command: String) throws
    -> CoordinatorSession
  {
    let settings = context.settings
    let workloadKey = workloadKey(settings)
    let (settingsRow, softwareRow, run) = try ledger.transaction {
      let settingsRow = try ledger.register(settings: settings.canonicalText, sha256: settings.digest)
      let softwareRow = try ledger.register(software: context.software.record)
      let run = try ledger.beginRun(command: command, settings: settingsRow, software: softwareRow)
      try ledger.reopenStudies(otherThan: workloadKey)
      return (settingsRow, softwareRow, run)
    }
    FaultPoint.reach(.runBegun)
    let alerts = Alerts(settings: settings.alerts, ledger: ledger, logger: context.logger, now: context.now)
    let supervision = Supervision(alerts: alerts)
    return CoordinatorSession(
      settings: settings, ledger: ledger, run: run,
      intake: Intake(
        folders: settings.folders, archives: settings.intake.archives, ignore: settings.intake.ignore,
        ledger: ledger, run: run, logger: context.logger, now: context.now),
      runner: JobRunner(
        settings: settings, ledger: ledger, run: run, settingsRow: settingsRow, softwareRow: softwareRow,
        worker: WorkerProcess(program: context.program), logger: context.logger, now: context.now,
        progress: context.progress, supervision: supervision),
      supervision: supervision, alerts: alerts, workloadKey: workloadKey)
  }

  private static func renew(_ lease: Lease, of ledger: Ledger) -> Task<Void, Never> {
    Task {
      var lease = lease
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(renewalSeconds))
        // A renewal that fails shows at the next change of the ledger, which is refused then.
        if !Task.isCancelled, let renewed = try? ledger.renewLease(lease, seconds: leaseSeconds) {
          lease = renewed
        }
      }
    }
  }
}
