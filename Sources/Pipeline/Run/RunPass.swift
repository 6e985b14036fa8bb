// `run`: one pass over everything – take in, pair, fuse, deliver – under the ledger's lease.

public import Foundation
public import Logging
public import Provenance

/// What a pass did, as `run --json` prints it.
public struct RunReport: Encodable, Sendable {
  public let summary: RunSummary
  /// Series that take part in no pair, and why, of the studies that this pass looked at.
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

/// Everything a coordinator is given from outside: nothing in it is looked up elsewhere.
public struct RunContext: Sendable {
  let settings: Settings
  let software: Software
  let logger: Logger
  let now: @Sendable () -> Date
  /// Seconds of a clock that nobody sets.
  let uptime: @Sendable () -> Double
  let progress: ProgressHandler
  let notifier: ServiceNotifier
  /// The program that workers are started from.
  let program: String

  public init(
    settings: Settings, software: Software, logger: Logger, now: @escaping @Sendable () -> Date = { Date() },
    uptime: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime },
    progress: @escaping ProgressHandler, notifier: ServiceNotifier? = nil, program: String = "/proc/self/exe"
  ) {
    self.notifier = notifier ?? ServiceNotifier(environment: [:], uptime: uptime)
    self.program = program
    self.uptime = uptime
    self.settings = settings
    self.software = software
    self.logger = logger
    self.now = now
    self.progress = progress
  }
}

public struct RunPass: Sendable {
  let context: RunContext

  public init(_ context: RunContext) { self.context = context }

  /// - Throws: `DiskFull` when less is free than the reserve, `FileError` where a folder cannot be used, `LedgerError`, `LeaseHeld` where another coordinator
  ///   works, `ModelError` and `WeightsError` where a model is missing or damaged.
  public func run() async throws -> RunReport {
    let intakeSettings = context.settings.intake
    let report = try await CoordinatorSession.with(context, command: "run") { session in
      let space = FreeSpace(settings: context.settings)
      try space.check()
      session.supervision.attach(
        Supervision.Loop(reason: { space.shortage() == nil ? nil : .lowSpace }))
      try Quarantine(folder: context.settings.folders.quarantine).returnGrown(
        to: context.settings.folders.inbox, logger: context.logger)
      let drop = DropFolder(path: context.settings.folders.inbox, ignore: intakeSettings.ignore)
      try drop.settleNames(in: drop.contents(), quietTime: intakeSettings.quietTime, now: context.now())
      let quiet = try await QuietFiles.wait(for: drop, quietTime: intakeSettings.quietTime, now: context.now)
      {
        try await Task.sleep(for: .seconds($0))
      }
      let taken = try session.intake.takeIn(quiet.ready, progress: context.progress)
      FaultPoint.reach(.intakeDone)
      // A pair without an image that lies in the drop folder and could not be moved would not be the pair that was sent.
      let held = taken.held.values.reduce(into: Set<String>()) { $0.formUnion($1) }
      let worked = try await session.workOff(retry: .always) { !held.contains($0.uid) }
      try session.retainIfDue()
      try space.check()
      return RunReport(
        summary: try session.ledger.summary(run: session.run),
        leftOut: worked.leftOut.map(PlanReport.Left.init), newlyRejectedSeries: worked.newlyRejected,
        stillChanging: quiet.changing.count, failures: taken.failures.map(\.description))
    }
    context.progress(.finished)
    return report
  }
}
