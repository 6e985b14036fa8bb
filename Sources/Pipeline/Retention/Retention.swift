// Lets go of what is old enough and proven: stored images whose outputs are all whole, and a copy of old events.

public import Foundation
import Glibc
public import Logging
public import Provenance

/// What retention did, or would do.
public struct RetentionReport: Encodable, Sendable {
  public struct Series: Encodable, Sendable {
    /// Series Instance UID.
    public let series: String
    public let study: String
    public let files: Int
    /// Bytes.
    public let size: Int64
    /// Why its images stay although they are old enough; nil where they go.
    public internal(set) var kept: String?
  }
  public internal(set) var series: [Series] = []
  /// Files of the store that were removed in this pass, those of an interrupted one included.
  public internal(set) var removed = 0
  public internal(set) var events: EventArchive?
}

/// One pass of it. Nothing is touched that `retention:` does not name; the drop folder, quarantine and outputs never.
public struct Retention: Sendable {
  let settings: Settings
  let ledger: Ledger
  let logger: Logger
  let now: @Sendable () -> Date

  public init(
    settings: Settings, ledger: Ledger, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.settings = settings
    self.ledger = ledger
    self.logger = logger
    self.now = now
  }

  /// What `run` would do; nothing is written. Every file is read, as `run` does.
  public func plan() throws -> RetentionReport {
    var report = RetentionReport()
    for series in try candidates() { report.series.append(entry(series, kept: try objection(to: series))) }
    if let age = settings.retention.events, let range = try ledger.exportableEvents(before: moment(age)) {
      report.events = EventArchive(first: range.lowerBound, last: range.upperBound, file: "", sha256: "")
    }
    return report
  }

  /// Proves, records, removes; call it while holding the lease.
  ///
  /// Every step can be the last one: a series is released in one transaction before its first file goes, and what an
  /// interrupted pass had released is removed by the next one.
  /// - Parameter shouldGoOn: asked before every series.
  public func run(run: Int64?, shouldGoOn: () -> Bool = { true }) throws -> RetentionReport {
    var report = RetentionReport()
    // What was promised before is done first, also where sources are kept from now on.
    report.removed += try removeReleased()
    for series in try candidates() {
      if !shouldGoOn() { return report }
      let why = try objection(to: series)
      report.series.append(entry(series, kept: why))
      if let why {
        logger.error("sources are kept", metadata: ["series": "\(series.uid)", "why": "\(why)"])
        continue
      }
      guard try ledger.release(series, before: moment(settings.retention.sources ?? 0), run: run) else {
        continue
      }
      FaultPoint.reach(.retentionReleased)
      report.removed += try removeReleased()
    }
    if report.removed > 0 { logger.notice("sources were let go", metadata: ["files": "\(report.removed)"]) }
    report.events = try exportEvents()
    return report
  }

  private func moment(_ age: Double) -> Date { now().addingTimeInterval(-age) }

  private func candidates() throws -> [ReleasableSeries] {
    guard let age = settings.retention.sources else { return [] }
    return try ledger.releasableSeries(before: moment(age))
  }

  private func entry(_ series: ReleasableSeries, kept: String?) -> RetentionReport.Series {
    RetentionReport.Series(
      series: series.uid, study: series.study, files: series.images.count,
      size: series.images.reduce(0) { $0 + $1.size }, kept: kept)
  }

  /// Why a series must stay: one of its files, or of those made of it, is not as recorded. Each is read now.
  private func objection(to series: ReleasableSeries) throws -> String? {
    let digests = FileDigests(settings: settings)
    for file in series.outputs + series.images where try digests.digest(file.file) != file.sha256 {
      switch file.file {
      case .output(let path): return "the output \(path) is missing or has other bytes than recorded"
      case .input(let path): return "the image \(path) is missing or has other bytes than recorded"
      }
    }
    return series.outputs.isEmpty ? "nothing was made of it" : nil
  }

  /// Removes the files of images that are released; a folder that is empty then goes with them.
  private func removeReleased() throws -> Int {
    let open = try ledger.openReleases()
    guard !open.isEmpty else { return 0 }
    var folders: Set<String> = []
    for (_, path) in open {
      let place = settings.folders.store + "/" + path
      try FileSystem.remove(place)
      FaultPoint.reach(.retentionRemoved)
      folders.insert((place as NSString).deletingLastPathComponent)
    }
    for folder in folders where FileSystem.exists(folder) {
      try FileSystem.flushFolder(folder)
      // Only an empty one goes; the study's folder may hold other series.
      if rmdir(folder) == 0 { rmdir((folder as NSString).deletingLastPathComponent) }
    }
    try ledger.markRemoved(open.map(\.instance))
    return open.count
  }

  private func exportEvents() throws -> EventArchive? {
    guard let age = settings.retention.events, let range = try ledger.exportableEvents(before: moment(age))
    else {
      return nil
    }
    try FileSystem.createFolder(settings.retention.exportTo)
    let key = try settings.checkpointKey.map { try CheckpointKey.load(orCreate: $0) }
    let archive = try ledger.exportEvents(range, to: settings.retention.exportTo, key: key)
    logger.notice(
      "events were exported",
      metadata: ["first": "\(archive.first)", "last": "\(archive.last)", "sha256": "\(archive.sha256)"])
    return archive
  }
}

extension CoordinatorSession {
  /// Seconds between two passes of a daemon.
  private static let retentionInterval = 86_400.0

  /// A pass of retention once a day, where the settings ask for one. What cannot be done now is tried the next day.
  func retainIfDue() throws {
    guard settings.retention.sources != nil || settings.retention.events != nil else { return }
    guard try ledger.markIfDue("retention", every: Self.retentionInterval) else { return }
    let retention = Retention(settings: settings, ledger: ledger, logger: runner.logger, now: runner.now)
    do {
      _ = try retention.run(run: run) {
        supervision.tick()
        return supervision.stopReason() != .interrupted
      }
    } catch let error as FileError { runner.logger.error("retention waits", metadata: ["why": "\(error)"]) }
  }
}

/// What `fuseline retain` runs: one pass under the lease.
public struct RetentionPass: Sendable {
  let context: RunContext

  public init(_ context: RunContext) { self.context = context }

  /// - Throws: as `RunPass.run`.
  public func run() async throws -> RetentionReport {
    try await CoordinatorSession.with(context, command: "retain") { session in
      let retention = Retention(
        settings: session.settings, ledger: session.ledger, logger: context.logger, now: context.now)
      return try retention.run(run: session.run)
    }
  }
}
