// `watch`: takes files in as they become quiet, fuses studies once they have settled, until it is told to stop.

import Foundation
import Logging
import Provenance

/// The daemon. The periodic scan is the truth: it finds everything whatever events a file system loses.
public struct Watcher: Sendable {
  /// Seconds between two tries to go on where not even the ledger could be written.
  private static let pause = 10.0
  /// With less than this free, bytes, SQLite's errors of any kind are for want of space: it may need some for its index of
  /// the log, and says "disk I/O error" where that cannot grow.
  private static let leastForLedger: UInt64 = 1 << 20

  let context: RunContext

  public init(_ context: RunContext) { self.context = context }

  /// Runs until the task is cancelled; the slices in hand are finished then. Where the disk is so full that nothing can be
  /// recorded, everything is put down as after a crash, and taken up again when there is room.
  ///
  /// - Throws: what stops a coordinator from starting: `FileError`, `LedgerError`, `LeaseHeld`.
  public func run() async throws {
    defer { context.notifier.stopping() }
    // The ledger keeps alerts from being repeated after a restart; here it cannot be written.
    let alerts = Alerts(
      settings: context.settings.alerts, ledger: nil, logger: context.logger, now: context.now)
    var isResumed = false
    do {
      while true {
        do {
          return try await CoordinatorSession.with(context, command: "watch", isResumed: isResumed) {
            session in
            try await WatchLoop(session: session, context: context).run()
          }
        } catch let error where isForWantOfSpace(error) {
          isResumed = true
          try await wait(because: error, alerts)
        }
      }
    } catch is CancellationError {
      context.logger.notice("told to stop; everything taken in is on record")
    }
  }

  private func wait(because error: any Error, _ alerts: Alerts) async throws {
    context.logger.error("nothing can be recorded: all work waits for space", metadata: ["why": "\(error)"])
    alerts.raise(Alert(kind: .lowSpace, reason: MachineFault.noSpace, sentence: "\(error)"))
    // Also before the first session: waiting is what it does then, not starting.
    context.notifier.ready()
    context.notifier.status("waiting for disk space: nothing can be recorded")
    let end = context.uptime() + Self.pause
    while context.uptime() < end {
      context.notifier.beat()
      try await Task.sleep(for: .milliseconds(500))
    }
  }

  private func isForWantOfSpace(_ error: any Error) -> Bool {
    switch error {
    case let error as FileError: return error.isNoSpace
    case let error as LedgerError where error.reason == .diskFull: return true
    case let error as LedgerError where error.reason == .unreadable:
      let folder = (context.settings.ledger as NSString).deletingLastPathComponent
      return FileSystem.freeBytes(folder).map { $0 < Self.leastForLedger } ?? false
    default: return error is DiskFull
    }
  }
}
