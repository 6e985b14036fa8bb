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

  private struct State {
    var sights: [String: Sight] = [:]
    /// Files to take in, in order; what is left of the last scan.
    var ready: ArraySlice<DropFile> = []
    var nextScan = 0.0
    var failure: (any Error)?
    var intakeCount = 0
  }

  private let intake: Intake
  private let context: RunContext
  private let state = Mutex(State())

  init(intake: Intake, context: RunContext) {
    self.intake = intake
    self.context = context
  }

  /// Seconds until the next scan is due; none while files wait to be taken in.
  var pause: Double {
    state.withLock { $0.ready.isEmpty ? max(0, $0.nextScan - context.uptime()) : 0 }
  }

  /// An event says that something has changed: scan at the next opportunity.
  func wake() { state.withLock { $0.nextScan = 0 } }

  /// Files taken in since the start.
  var intakeCount: Int { state.withLock { $0.intakeCount } }

  /// Scans if it is time to, and takes in one batch of what is ready.
  ///
  /// - Throws: `LedgerError` that stops the whole program, and `FileError` where the drop folder is gone.
  func round() throws {
    try state.withLock { state in
      if state.ready.isEmpty, context.uptime() >= state.nextScan { try scan(&state) }
      guard !state.ready.isEmpty else { return }
      let batch = Array(state.ready.prefix(Intake.batchSize))
      do {
        let outcome = try intake.takeIn(batch, progress: context.progress) { self.mayGrow($0, state) }
        state.ready = state.ready.dropFirst(batch.count)
        state.intakeCount += outcome.settled
        for file in outcome.incomplete { state.sights[file.path]?.isIncomplete = true }
        for file in batch where !outcome.incomplete.contains(file) { state.sights[file.path] = nil }
        context.logger.info(
          "files taken in",
          metadata: ["files": "\(outcome.settled)", "failures": "\(outcome.failures.count)"])
      } catch let error where isFullDisk(error) {
        // Everything unrecorded is still in the drop folder, and the next scan finds it.
        state.ready = []
        context.logger.error("intake waits", metadata: ["why": "\(error)"])
      }
    }
  }

  private func isFullDisk(_ error: any Error) -> Bool {
    (error as? FileError)?.isNoSpace ?? ((error as? LedgerError)?.reason == .diskFull)
  }

  private func scan(_ state: inout State) throws {
    let settings = context.settings
    let files = try DropFolder(path: settings.folders.inbox, ignore: settings.intake.ignore).scan()
    let now = context.uptime()
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
    state.ready = files.filter { isReady(sights[$0.path], now) }[...]
    state.nextScan = now + settings.watch.interval
  }

  private func isReady(_ sight: Sight?, _ now: Double) -> Bool {
    guard let sight, sight.scans > 1 else { return false }
    let intake = context.settings.intake
    return now - sight.since >= (sight.isIncomplete ? intake.incompleteTime : intake.quietTime)
  }

  private func mayGrow(_ file: DropFile, _ state: State) -> Bool {
    guard let sight = state.sights[file.path] else { return false }
    return context.uptime() - sight.since < context.settings.intake.incompleteTime
  }
}
