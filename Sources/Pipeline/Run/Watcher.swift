// `watch`: takes files in as they become quiet, fuses studies once they have settled, until it is told to stop.

import Foundation
import Logging
import Provenance
import Synchronization

/// The daemon. The periodic scan is the truth: it finds everything whatever events a file system loses.
public struct Watcher: Sendable {
  let context: RunContext

  public init(_ context: RunContext) { self.context = context }

  /// Runs until the task is cancelled; the slices in hand are finished then.
  ///
  /// - Throws: what stops a coordinator from starting: `FileError`, `LedgerError`, `LeaseHeld`.
  public func run() async throws {
    do {
      try await CoordinatorSession.with(context, command: "watch") { session in
        try await WatchLoop(session: session, context: context).run()
      }
    } catch is CancellationError {
      context.logger.notice("told to stop; everything taken in is on record")
    }
  }
}

/// One session of the watcher: intake, also while a job is fused, and the studies that have settled.
private struct WatchLoop {
  let session: CoordinatorSession
  let context: RunContext
  let drops: DropWatch
  let settling: Settling
  let failure = Failure()

  init(session: CoordinatorSession, context: RunContext) {
    self.session = session
    self.context = context
    drops = DropWatch(intake: session.intake, context: context)
    settling = Settling(seconds: context.settings.watch.settleTime, uptime: context.uptime)
  }

  func run() async throws {
    session.supervision.attach(
      Supervision.Loop(
        reason: { [context, failure] in
          if failure.isSet { return .interrupted }
          return context.settings.schedule.isOpen(at: context.now()) ? nil : .windowClosed
        },
        beside: { [drops, failure] in failure.keep { try drops.round() } }))
    while true {
      try Task.checkCancellation()
      try drops.round()
      if session.supervision.stopReason() == nil { try await work() }
      try failure.rethrow()
      try await Task.sleep(for: .seconds(min(drops.pause, 1)))
    }
  }

  private func work() async throws {
    do {
      _ = try await session.workOff(retryBefore: context.now(), isSettled: settling.isSettled)
      context.progress(.finished)
    } catch let error where error is ModelError || error is FileError || error is DiskFull {
      // Intake goes on; the pairs wait until somebody has made room or put the model back.
      context.logger.error("pairs wait", metadata: ["why": "\(error)"])
      try await Task.sleep(for: .seconds(min(context.settings.watch.interval, 1)))
    }
  }
}

/// An error from beside a job, to be thrown once the job has been put down.
private final class Failure: Sendable {
  private let first = Mutex<(any Error)?>(nil)

  var isSet: Bool { first.withLock { $0 != nil } }

  func keep(_ body: () throws -> Void) {
    do { try body() } catch { first.withLock { $0 = $0 ?? error } }
  }

  func rethrow() throws {
    if let error = first.withLock({ $0 }) { throw error }
  }
}

/// Since when a study got no image, by a clock that nobody sets.
final class Settling: Sendable {
  private let seconds: Double
  private let uptime: @Sendable () -> Double
  private let quietSince = Mutex<[String: (arrivals: Int64, since: Double)]>([:])

  init(seconds: Double, uptime: @escaping @Sendable () -> Double) {
    self.seconds = seconds
    self.uptime = uptime
  }

  func isSettled(_ study: DueStudy) -> Bool {
    quietSince.withLock { known in
      let now = uptime()
      if let (arrivals, since) = known[study.uid], arrivals == study.arrivals {
        return now - since >= seconds
      }
      known[study.uid] = (study.arrivals, now)
      return seconds <= 0
    }
  }
}
