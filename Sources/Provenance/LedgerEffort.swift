// What writing the ledger costs a process: time inside transactions, as a clock and as the processor counts it.

internal import Glibc

/// Time spent in the outermost transactions of one connection, waiting for the disk included.
public struct LedgerEffort: Hashable, Sendable {
  public internal(set) var transactions = 0
  /// By a clock, s.
  public internal(set) var seconds = 0.0
  /// Of processor, s.
  public internal(set) var processor = 0.0

  /// A moment by both clocks of this thread.
  struct Moment {
    let clock = Self.seconds(CLOCK_MONOTONIC)
    let processor = Self.seconds(CLOCK_THREAD_CPUTIME_ID)

    private static func seconds(_ clock: clockid_t) -> Double {
      var time = timespec()
      clock_gettime(clock, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
  }

  mutating func add(since began: Moment) {
    let now = Moment()
    transactions += 1
    seconds += now.clock - began.clock
    processor += now.processor - began.processor
  }
}
