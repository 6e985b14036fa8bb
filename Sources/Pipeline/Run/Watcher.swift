// `watch`: takes files in as they become quiet, fuses studies once they have settled, until it is told to stop.

import Foundation
import Logging

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
