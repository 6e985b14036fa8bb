// Wall and processor time of a piece of work – the only clock the benchmarks read.

import Glibc

/// Seconds of a piece of work.
public struct Elapsed: Codable, Hashable, Sendable {
  public var wall: Double
  /// Processor time of the whole process, all threads, and of its workers that ended.
  public var cpu: Double

  /// Runs a body between two readings.
  static func measure<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> (Result, Elapsed) {
    let start = now()
    let result = try body()
    return (result, start.untilNow)
  }

  static func now() -> Elapsed {
    Elapsed(wall: seconds(CLOCK_MONOTONIC), cpu: seconds(CLOCK_PROCESS_CPUTIME_ID) + children())
  }

  /// Processor time of ended child processes.
  private static func children() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// What passed since this reading.
  var untilNow: Elapsed {
    let end = Self.now()
    return Elapsed(wall: end.wall - wall, cpu: end.cpu - cpu)
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
