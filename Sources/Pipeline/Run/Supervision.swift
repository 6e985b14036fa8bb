// What a long piece of work asks while it runs: may it go on, and is there anything to be done beside it?

import Foundation
import Synchronization

/// Why work is put down before it is finished; it is taken up again later, where it was left.
enum StopReason: String, Sendable {
  /// The program was told to stop.
  case interrupted
  /// The scheduled time is over.
  case windowClosed = "window_closed"
  /// Less free space than the reserve.
  case lowSpace = "low_space"
}

/// The link between a session's parts and the loop that runs them.
final class Supervision: Sendable {
  /// What the loop wants to be asked and called.
  struct Loop: Sendable {
    /// Why work must stop now, nil if it may go on.
    var reason: @Sendable () -> StopReason? = { nil }
    /// What else has to be done about twice a second: intake, signs of life.
    var beside: @Sendable () -> Void = {}
  }

  private let isInterrupted = Atomic<Bool>(false)
  private let loop = Mutex(Loop())
  private let alerts: Alerts

  init(alerts: Alerts) { self.alerts = alerts }

  func attach(_ loop: Loop) { self.loop.withLock { $0 = loop } }

  /// Work is to stop as soon as the slices in hand are finished.
  func interrupt() { isInterrupted.store(true, ordering: .relaxed) }

  func stopReason() -> StopReason? {
    isInterrupted.load(ordering: .relaxed) ? .interrupted : loop.withLock { $0.reason }()
  }

  func tick() { loop.withLock { $0.beside }() }

  func report(_ kind: Alert.Kind, job: Int64, _ failure: WorkFailure) {
    alerts.raise(Alert(kind: kind, job: job, reason: failure.code, sentence: failure.sentence))
  }
}
