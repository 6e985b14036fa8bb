// The pass that cron asked for and that is under way: what it found waiting decides when it is over, not a clock alone.

import Foundation
import Synchronization

/// Lasts until the files that lay in the drop folder when it began have been taken in, and the studies that waited then
/// have settled: that a study is quiet is only known to a process that has watched it.
final class ScheduledPass: Sendable {
  private struct State {
    let date: Date
    let firstLook: Double
    /// Studies that the pass waits for; nil while files are still taken in.
    var waiting: Set<String>?
  }

  private let state = Mutex<State?>(nil)

  /// - Parameter interval: seconds until the drop folder has been scanned once.
  /// - Returns: did it begin just now?
  func begin(at date: Date, uptime: Double, interval: Double) -> Bool {
    state.withLock { state in
      if state != nil { return false }
      state = State(date: date, firstLook: uptime + interval)
      return true
    }
  }

  /// Files first seen until then, by the clock that nobody sets, belong to the pass; nil where none is under way.
  var firstLook: Double? { state.withLock { $0?.firstLook } }

  /// Ends the pass if a round of work has left nothing to wait for.
  ///
  /// - Parameters:
  ///   - uptime: when the round began.
  ///   - hasFiles: did files wait then that belong to the pass?
  ///   - unsettled: studies that the round left because they had not settled. Those that come later are for the next
  ///     pass.
  /// - Returns: when it began; nil where none is over.
  func end(by uptime: Double, hasFiles: Bool, unsettled: Set<String>) -> Date? {
    state.withLock { state in
      guard var current = state else { return nil }
      if let waiting = current.waiting {
        current.waiting = waiting.intersection(unsettled)
      } else if uptime >= current.firstLook, !hasFiles {
        current.waiting = unsettled
      }
      let isOver = current.waiting?.isEmpty ?? false
      state = isOver ? nil : current
      return isOver ? current.date : nil
    }
  }
}
