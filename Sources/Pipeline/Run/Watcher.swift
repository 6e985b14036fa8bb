// `watch`: takes files in as they become quiet, fuses studies once they have settled, until it is told to stop.

import Foundation
import Logging
import Provenance
import Tensors

/// The daemon. The periodic scan is the truth: it finds everything whatever events a file system loses.
public struct Watcher: Sendable {
  let context: RunContext

  public init(_ context: RunContext) { self.context = context }

  /// Runs until the task is cancelled; the slice in hand is finished then.
  ///
  /// - Throws: what stops a coordinator from starting: `FileError`, `LedgerError`, `LeaseHeld`.
  public func run() async throws {
    do {
      try await CoordinatorSession.with(context, command: "watch") { session in
        var rounds = Rounds(session: session, context: context)
        while true {
          try await rounds.next()
          try await Task.sleep(for: .seconds(context.settings.watch.interval))
        }
      }
    } catch is CancellationError {
      context.logger.notice("told to stop; everything taken in is on record")
    }
  }
}

/// What the watcher remembers from one scan to the next.
private struct Rounds {
  let session: CoordinatorSession
  let context: RunContext
  private var seen: [String: DropFile] = [:]
  /// When a study last got an image, by Study Instance UID.
  private var arrivals: [String: Date] = [:]
  /// Something was taken in, or nothing was looked at yet, since pairs were last worked off.
  private var hasWork = true

  init(session: CoordinatorSession, context: RunContext) {
    self.session = session
    self.context = context
  }

  /// One scan: takes in what is quiet, then fuses what has settled, if the schedule allows it now.
  mutating func next() async throws {
    let settings = context.settings
    let files = try DropFolder(path: settings.folders.inbox, ignore: settings.intake.ignore).scan()
    let ready = files.filter { seen[$0.path] == $0 && isQuiet($0) }
    seen = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
    if !ready.isEmpty {
      let failures = try session.intake.takeIn(ready, progress: context.progress)
      context.logger.info(
        "files taken in", metadata: ["files": "\(ready.count)", "failures": "\(failures.count)"])
      hasWork = true
    }
    guard hasWork, settings.schedule.isOpen(at: context.now()) else { return }
    do { try await work() } catch let error where isOfTheMachine(error) {
      // Intake goes on; the pairs wait until somebody has made room or put the model back.
      context.logger.error("pairs wait", metadata: ["why": "\(error)"])
    }
  }

  private func isOfTheMachine(_ error: any Error) -> Bool {
    error is ModelError || error is WeightsError || error is FileError || MachineFault(error).isNoSpace
  }

  private func isQuiet(_ file: DropFile) -> Bool {
    context.now().timeIntervalSince1970 - Double(file.modified) / 1e9 >= context.settings.intake.quietTime
  }

  /// Fuses the pairs of studies that got no image for the settle time; the others are looked at again.
  private mutating func work() async throws {
    let now = context.now()
    for study in try session.ledger.studies() {
      arrivals[study.uid] = Timestamp.date(study.lastArrival)
    }
    var waiting = false
    let settled = { [arrivals, settle = context.settings.watch.settleTime] (series: Series) in
      now.timeIntervalSince(arrivals[series.studyInstanceUID] ?? .distantPast) >= settle
    }
    _ = try await session.fuseAll { pair in
      let isReady = settled(pair.fixed) && settled(pair.moving)
      if !isReady { waiting = true }
      return isReady
    }
    hasWork = waiting
    context.progress(.finished)
  }
}
