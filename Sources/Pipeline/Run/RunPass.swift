// `run`: one pass over everything – take in, pair, fuse, deliver – under the ledger's lease.

import BSAFusion
public import Foundation
public import Logging
public import Provenance

/// What a pass did, as `run --json` prints it.
public struct RunReport: Encodable, Sendable {
  public let summary: RunSummary
  /// Series that take part in no pair, and why.
  public let leftOut: [PlanReport.Left]
  /// How many of them are unsafe to use and were found so in this pass.
  public let newlyRejectedSeries: Int
  /// Files that still changed and were left in the drop folder.
  public let stillChanging: Int
  /// Files that could not be moved, by the operation that failed.
  public let failures: [String]

  /// Did anything fail or get refused in this pass?
  public var hasTrouble: Bool {
    summary.pairs.failed + summary.pairs.rejected + summary.instances.rejected + failures.count
      + newlyRejectedSeries > 0
  }

  enum CodingKeys: String, CodingKey {
    case leftOut = "left_out"
    case newlyRejectedSeries = "newly_rejected_series"
    case stillChanging = "still_changing"
    case failures
  }

  public func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(leftOut, forKey: .leftOut)
    try container.encode(newlyRejectedSeries, forKey: .newlyRejectedSeries)
    try container.encode(stillChanging, forKey: .stillChanging)
    try container.encode(failures, forKey: .failures)
  }
}

public struct RunPass: Sendable {
  /// How long the lease holds without being renewed, and how often it is.
  static let leaseSeconds = 60.0
  static let renewalSeconds = 20.0

  let settings: Settings
  let software: Software
  let logger: Logger
  let now: @Sendable () -> Date
  let progress: ProgressHandler

  public init(
    settings: Settings, software: Software, logger: Logger, now: @escaping @Sendable () -> Date = { Date() },
    progress: @escaping ProgressHandler
  ) {
    self.settings = settings
    self.software = software
    self.logger = logger
    self.now = now
    self.progress = progress
  }

  /// - Throws: `FileError` where a folder cannot be used, `LedgerError`, `LeaseHeld` where another coordinator
  ///   works, `ModelError` and `WeightsError` where a model is missing or damaged.
  public func run() async throws -> RunReport {
    let folders = settings.folders
    for folder in [folders.inbox, folders.store, folders.output, folders.quarantine] {
      try FileSystem.createFolder(folder)
    }
    for folder in [folders.store, folders.output, folders.quarantine] { try FileSystem.checkWritable(folder) }
    let ledger = try Ledger.open(path: settings.ledger, clock: now)
    let lease = try ledger.acquireLease(seconds: Self.leaseSeconds)
    FaultPoint.reach(.leaseTaken)
    let renewal = renew(lease, of: ledger)
    defer { renewal.cancel() }
    let report = try await pass(ledger)
    renewal.cancel()
    try ledger.releaseLease(lease)
    progress(.finished)
    return report
  }

  private func pass(_ ledger: Ledger) async throws -> RunReport {
    try Reconciliation.run(ledger, logger: logger)
    FaultPoint.reach(.reconciled)
    let settingsRow = try ledger.register(settings: settings.canonicalText, sha256: settings.digest)
    let softwareRow = try ledger.register(software: software.record)
    let run = try ledger.beginRun(command: "run", settings: settingsRow, software: softwareRow)
    FaultPoint.reach(.runBegun)
    do {
      let drop = DropFolder(path: settings.folders.inbox, ignore: settings.intake.ignore)
      let quiet = try await QuietFiles.wait(for: drop, quietTime: settings.intake.quietTime, now: now) {
        try await Task.sleep(for: .seconds($0))
      }
      let intake = Intake(folders: settings.folders, ledger: ledger, run: run, logger: logger, now: now)
      let failures = try intake.takeIn(quiet.ready, progress: progress)
      FaultPoint.reach(.intakeDone)
      let runner = JobRunner(
        settings: settings, ledger: ledger, run: run, settingsRow: settingsRow, softwareRow: softwareRow,
        logger: logger, now: now, progress: progress)
      let (result, news) = try await fuseAll(runner, ledger)
      FaultPoint.reach(.runFinishing)
      try ledger.finishRun(run, outcome: .done)
      return RunReport(
        summary: try ledger.summary(run: run), leftOut: result.leftOut.map(PlanReport.Left.init),
        newlyRejectedSeries: news, stillChanging: quiet.changing.count, failures: failures.map(\.description))
    } catch {
      // The error says what to do; the run is closed as failed if the ledger can still be written.
      try? ledger.finishRun(run, outcome: .failed)
      throw error
    }
  }

  private func fuseAll(_ runner: JobRunner, _ ledger: Ledger) async throws -> (PairingResult, news: Int) {
    let catalogue = Catalogue(try StoredCatalogue(ledger: ledger, store: settings.folders.store).instances())
    let result = Pairing(settings).pairs(in: catalogue)
    let news = try runner.record(result.leftOut, of: catalogue)
    for pair in result.rejected { try runner.reject(pair) }
    var models = ModelCache(folder: settings.models, ledger: ledger)
    for pair in result.pairs { try await runner.fuse(pair, with: models.model(named: pair.rule.model)) }
    return (result, news.count)
  }

  private func renew(_ lease: Lease, of ledger: Ledger) -> Task<Void, Never> {
    Task {
      var lease = lease
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(Self.renewalSeconds))
        // A renewal that fails shows at the next change of the ledger, which is refused then.
        if !Task.isCancelled, let renewed = try? ledger.renewLease(lease, seconds: Self.leaseSeconds) {
          lease = renewed
        }
      }
    }
  }
}
