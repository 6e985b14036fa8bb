// SIGTERM and SIGINT heard from the program's first line on, and told to whoever stops the work; it stops nothing itself.

import Foundation
import Glibc
import Synchronization

/// The handlers only write a byte into a pipe, which is allowed in one (signal-safety(7)). What arrives before anybody
/// listens stays in the pipe, so that no moment of start-up is deaf.
enum StopSignal {
  private static let numbers = [SIGTERM, SIGINT]
  private static let writer = Atomic<Int32>(-1)
  private static let reader = Atomic<Int32>(-1)

  /// Takes the signals from the system's default, which would end the program in the middle of something.
  static func listen() {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // A thousand signals must not fill the pipe and hold the handler up.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    reader.store(ends[0], ordering: .relaxed)
    writer.store(ends[1], ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      let code = errno
      var byte: UInt8 = 0
      _ = Glibc.write(StopSignal.writer.load(ordering: .relaxed), &byte, 1)
      errno = code
    }
    action.sa_flags = SA_RESTART
    for number in numbers { sigaction(number, &action, nil) }
  }

  /// Calls `body` once, on a thread of its own, when the first signal has come or as soon as it comes.
  static func whenHeard(_ body: @escaping @Sendable () -> Void) {
    let descriptor = reader.load(ordering: .relaxed)
    let thread = Thread {
      var byte: UInt8 = 0
      while read(descriptor, &byte, 1) < 0 && errno == EINTR {}
      body()
    }
    thread.start()
  }
}
