// What the watcher sees in the drop folder from scan to scan, and which files it takes in when; no pairs.

import Foundation
import Logging
import Provenance
import Synchronization

/// Scans and takes in, a batch at a time, so that it can run beside a job that is being fused.
///
/// A file is taken once two scans and the quiet time have seen it unchanged, by a clock that nobody sets: neither
/// clocks apart nor a copy that keeps the time of its original make a file look older than it is.
final class DropWatch: Sendable {
  private struct Sight {
    let file: DropFile
    /// Uptime of the scan that first saw the file as it is.
    let since: Double
    var scans: Int
    /// It ended too early when it was last read: not read again before it has changed, or its time is up.
    var isIncomplete = false
  }

  private struct State: ~Copyable {
    var sights: [String: Sight] = [:]
    /// Files to take in, in order; what is left of the last scan.
    var ready: ArraySlice<DropFile> = []
    /// Studies of files that could not be moved when they were last tried, by path.
    var held: [String: Set<String>] = [:]
    /// The disk or a quota ran full while files were taken in, and they wait: any study may miss one of them.
    var isFull = false
    var nextScan = 0.0
    var lastScan = -Double.infinity
    var nextReturn = 0.0
    var numbers = WatchNumbers()
    var events: FolderEvents?
  }

  /// Events wake at most this often, seconds: a folder that files stream into is scanned steadily, not endlessly.
  private static let shortestPause = 0.5
  /// Refused files are looked at again this often, seconds.
  private static let returnInterval = 60.0

  private let intake: Intake
  private let context: RunContext
  private let alerts: Alerts
  private let state: Mutex<State>

  init(intake: Intake, alerts: Alerts, context: RunContext) {
    self.intake = intake
    self.alerts = alerts
    self.context = context
    state = Mutex(State())
    guard context.settings.watch.events else { return }
    state.withLock {
      $0.events = FolderEvents(folder: context.settings.folders.inbox, logger: context.logger)
    }
  }

  var numbers: WatchNumbers { state.withLock { $0.numbers } }

  /// Does an image of the study lie in the drop folder that could not be moved? The study is not complete without it.
  func holds(study: String) -> Bool {
    state.withLock { $0.isFull || $0.held.values.contains { $0.contains(study) } }
  }

  /// Do files wait that could be taken in at once?
  var isBusy: Bool { state.withLock { !$0.ready.isEmpty && !$0.numbers.isIntakePaused } }

  /// Do files wait that have been seen as they are since before `uptime`? Those that end too early, and those that could
  /// not be moved when they were tried, are waited for by nobody.
  func hasFiles(seenBefore uptime: Double) -> Bool {
    state.withLock { state in
      state.sights.contains { path, sight in
        sight.since <= uptime && !sight.isIncomplete && state.held[path] == nil
      }
    }
  }

  /// Scans if it is time to, and takes in one batch of what is ready.
  ///
  /// - Throws: `LedgerError` that stops the whole program, and `FileError` where the drop folder is gone.
  func round() throws {
    try state.withLock { state in
      let now = context.uptime()
      if state.events?.takeAny() ?? false {
        state.nextScan = min(state.nextScan, state.lastScan + Self.shortestPause)
      }
      if state.ready.isEmpty, now >= state.nextScan { try scan(&state) }
      guard !state.ready.isEmpty, hasRoom(&state) else { return }
      let batch = Array(state.ready.prefix(Intake.batchSize))
      do {
        try takeIn(batch, &state)
        state.isFull = false
      } catch let error where isFullDisk(error) {
        // Everything unrecorded is still in the drop folder, and the next scan finds it.
        state.ready = []
        state.isFull = true
        context.logger.error("intake waits", metadata: ["why": "\(error)"])
        alerts.raise(Alert(kind: .lowSpace, reason: MachineFault.noSpace, sentence: "\(error)"))
      }
    }
  }

  private func takeIn(_ batch: [DropFile], _ state: inout State) throws {
    var incomplete: Set<String> = []
    let sights = state.sights
    let outcome = try intake.takeIn(
      batch,
      progress: { [context] in
        context.notifier.beat()
        context.progress($0)
      }, mayGrow: { self.mayGrow($0, sights) })
    state.ready = state.ready.dropFirst(batch.count)
    state.numbers.filesTakenIn += outcome.settled
    for file in outcome.incomplete {
      incomplete.insert(file.path)
      state.sights[file.path]?.isIncomplete = true
    }
    for file in batch where !incomplete.contains(file.path) { state.sights[file.path] = nil }
    for file in batch { state.held[file.path] = outcome.held[file.path] }
    guard outcome.settled > 0 || !outcome.failures.isEmpty else { return }
    context.logger.info(
      "files taken in", metadata: ["files": "\(outcome.settled)", "failures": "\(outcome.failures.count)"])
  }

  /// Is there more free space than the reserve? A change is logged, a shortage alerted.
  private func hasRoom(_ state: inout State) -> Bool {
    let shortage = FreeSpace(settings: context.settings).shortage()
    if let shortage, !state.numbers.isIntakePaused {
      context.logger.error("intake waits", metadata: ["why": "\(shortage.sentence)"])
      alerts.raise(Alert(kind: .lowSpace, reason: StopReason.lowSpace.rawValue, sentence: shortage.sentence))
    } else if shortage == nil, state.numbers.isIntakePaused {
      context.logger.notice("there is room again: intake goes on")
    }
    state.numbers.isIntakePaused = shortage != nil
    return shortage == nil
  }

  private func isFullDisk(_ error: any Error) -> Bool {
    (error as? FileError)?.isNoSpace ?? ((error as? LedgerError)?.reason == .diskFull)
  }

  private func scan(_ state: inout State) throws {
    let settings = context.settings
    let now = context.uptime()
    if now >= state.nextReturn {
      state.nextReturn = now + Self.returnInterval
      try Quarantine(folder: settings.folders.quarantine).returnGrown(
        to: settings.folders.inbox, logger: context.logger)
    }
    let drop = DropFolder(path: settings.folders.inbox, ignore: settings.intake.ignore)
    var found = try drop.contents()
    // Between two rounds there are no claims but those of a pass that was interrupted.
    if try drop.settleNames(in: found, quietTime: settings.intake.quietTime, now: context.now()) {
      found = try drop.contents()
    }
    let files = found.files
    state.events?.watch(found.folders)
    var sights: [String: Sight] = Dictionary(minimumCapacity: files.count)
    for file in files {
      if var sight = state.sights[file.path], sight.file == file {
        sight.scans += 1
        sights[file.path] = sight
      } else {
        sights[file.path] = Sight(file: file, since: now, scans: 1)
      }
    }
    state.sights = sights
    if !state.held.isEmpty { state.held = state.held.filter { sights[$0.key] != nil } }
    state.ready =
      files.filter { sights[$0.path].map { wait(for: $0, now) <= 0 && $0.scans > 1 } ?? false }[...]
    if files.isEmpty { state.isFull = false }
    let soonest = sights.values.lazy.map { self.wait(for: $0, now) }.min() ?? .infinity
    state.lastScan = now
    state.nextScan = now + min(settings.watch.interval, max(soonest, Self.shortestPause))
    state.numbers.scans += 1
    state.numbers.inboxFiles = files.count
    state.numbers.lastScanSeconds = context.uptime() - now
    // Somebody is told of a disk that runs full also where nothing waits for it yet.
    _ = hasRoom(&state)
  }

  /// Seconds until a file that does not change may be taken.
  private func wait(for sight: Sight, _ now: Double) -> Double {
    let intake = context.settings.intake
    return (sight.isIncomplete ? intake.incompleteTime : intake.quietTime) - (now - sight.since)
  }

  private func mayGrow(_ file: DropFile, _ sights: [String: Sight]) -> Bool {
    guard let sight = sights[file.path] else { return false }
    return context.uptime() - sight.since < context.settings.intake.incompleteTime
  }
}
