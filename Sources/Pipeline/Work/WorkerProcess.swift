// The coordinator's hold on its worker: starts it, hands it tasks, hears its reports, and ends it when its time is up.

import Foundation
import Glibc
import Synchronization

/// How a worker was lost before it had answered.
enum WorkerLoss: Error, Hashable, Sendable {
  /// It ended by itself or was ended; the sentence says how.
  case crashed(String)
  /// It was still at it when the job's time was up, and was killed.
  case timedOut
}

/// One worker process, kept over several jobs and replaced when it is lost. One job at a time.
final class WorkerProcess: Sendable {
  private struct Connection {
    let pid: pid_t
    let orders: Int32
    var reports: LineReader
  }

  /// Program that is started as `PROGRAM work`.
  private let program: String
  private let connection = Mutex<Connection?>(nil)
  /// How often `tick` is called while nothing is reported, milliseconds.
  private static let tickMilliseconds: Int32 = 500
  /// How long a worker may take to finish the slices in hand when the program itself has to end, seconds.
  private static let stopSeconds = 45.0

  init(program: String) { self.program = program }

  deinit { end() }

  /// Has the worker do a task. Blocks; call it on a thread of its own.
  ///
  /// - Parameters:
  ///   - seconds: the task's time, after which the worker is killed.
  ///   - tick: called at least every half second; a reason tells the worker to stop after the slices in hand.
  ///   - report: called for everything but the last word; what it returns is sent back.
  /// - Returns: the worker's last word.
  /// - Throws: `WorkerLoss`, and what `tick` and `report` throw; the worker is gone then.
  func perform(
    _ task: WorkTask, seconds: Double, tick: () throws -> StopReason?,
    report: (WorkReport) throws -> WorkOrder?
  ) throws -> WorkReport {
    try connection.withLock { held in
      var current = try held ?? start()
      do {
        held = nil
        let last = try converse(task, &current, seconds: seconds, tick: tick, report: report)
        held = current
        return last
      } catch WorkerLoss.crashed {
        throw WorkerLoss.crashed(Self.kill(current))
      } catch {
        _ = Self.kill(current)
        throw error
      }
    }
  }

  /// Lets the worker go, and its memory with it.
  func end() {
    connection.withLock { held in
      if let current = held { _ = Self.kill(current) }
      held = nil
    }
  }

  private func converse(
    _ task: WorkTask, _ current: inout Connection, seconds: Double, tick: () throws -> StopReason?,
    report: (WorkReport) throws -> WorkOrder?
  ) throws -> WorkReport {
    try sendOrder(.work(task), to: current)
    var deadline = ContinuousClock.now + .seconds(seconds)
    var isStopping = false
    var isHurried = false
    while true {
      while let line = current.reports.takeLine() {
        guard let message = try? JSONDecoder().decode(WorkReport.self, from: Data(line)) else {
          throw WorkerLoss.crashed("")
        }
        switch message {
        case .done, .stopped, .ended: return message
        case .prepared, .written:
          if let order = try report(message) { try sendOrder(order, to: current) }
        }
      }
      if let reason = try tick() {
        if !isStopping { try sendOrder(.stop, to: current) }
        isStopping = true
        if reason == .interrupted, !isHurried {
          isHurried = true
          deadline = min(deadline, ContinuousClock.now + .seconds(Self.stopSeconds))
        }
      }
      if ContinuousClock.now >= deadline { throw WorkerLoss.timedOut }
      if Self.hasNews(current.reports.descriptor), !current.reports.fill() { throw WorkerLoss.crashed("") }
    }
  }

  private func sendOrder(_ order: WorkOrder, to current: Connection) throws {
    do { try writeLine(order, to: current.orders) } catch is FileError { throw WorkerLoss.crashed("") }
  }

  /// Waits a tick for a report or the end of the worker.
  private static func hasNews(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, tickMilliseconds) > 0
  }

  private func start() throws -> Connection {
    var orders: [Int32] = [0, 0]
    var reports: [Int32] = [0, 0]
    if pipe(&orders) != 0 || pipe(&reports) != 0 { throw FileError("start", program) }
    for end in orders + reports { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer {
      close(orders[0])
      close(reports[1])
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, orders[0], STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, reports[1], STDOUT_FILENO)
    // A signal to the whole group or service is the coordinator's to act on, from the worker's first moment on.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGTERM, SIGINT] { sigaddset(&blocked, number) }
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pid = pid_t()
    let environment = ProcessInfo.processInfo.environment.merging([FaultPoint.workerMark: "1"]) { $1 }
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("fuseline"), strdup("work"), nil]
    let variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    let code = posix_spawn(&pid, program, &actions, &attributes, arguments, variables)
    if code != 0 {
      close(orders[1])
      close(reports[0])
      throw FileError("start", program, code: code)
    }
    return Connection(pid: pid, orders: orders[1], reports: LineReader(descriptor: reports[0]))
  }

  /// Ends the worker if it has not ended, and says how it did.
  private static func kill(_ current: Connection) -> String {
    // Closing its input lets a healthy one go by itself; a hung one is not asked.
    close(current.orders)
    close(current.reports.descriptor)
    var status: Int32 = 0
    if waitpid(current.pid, &status, WNOHANG) == 0 {
      // One that is about to end by a signal is given a moment, for its own signal to be seen.
      usleep(20_000)
      if waitpid(current.pid, &status, WNOHANG) == 0 {
        Glibc.kill(current.pid, SIGKILL)
        while waitpid(current.pid, &status, 0) < 0 && errno == EINTR {}
      }
    }
    let signal = status & 0x7f
    return signal != 0 ? "signal \(signal)" : "exit code \((status >> 8) & 0xff)"
  }
}
