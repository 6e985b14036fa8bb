// Places where a test can stop the process as if its power had been cut; nothing happens there otherwise.

import Foundation
import Synchronization

/// A moment between two steps that must be safe to be killed at.
///
/// The environment variable `FUSELINE_FAULT` names one; reaching it ends the program by SIGKILL, a worker its
/// coordinator first. `NAME=crash` ends the process that reaches it only, `NAME=hang` makes it stand still, `NAME=term`
/// sends SIGTERM to it, once, and to the coordinator where it is a worker, as a service manager does, and goes on.
public enum FaultPoint: String, CaseIterable, Sendable {
  case leaseTaken = "lease-taken"
  case reconciled = "reconciled"
  case runBegun = "run-begun"
  case fileJudged = "file-judged"
  case fileClaimed = "file-claimed"
  case filePlaced = "file-placed"
  case fileRecorded = "file-recorded"
  case fileSettled = "file-settled"
  case refusalPlaced = "refusal-placed"
  case refusalExplained = "refusal-explained"
  case refusalRecorded = "refusal-recorded"
  case intakeDone = "intake-done"
  case jobOpened = "job-opened"
  case attemptStarted = "attempt-started"
  case registrationPlaced = "registration-placed"
  case pairPrepared = "pair-prepared"
  case sliceFused = "slice-fused"
  case publishIntended = "publish-intended"
  case partWritten = "part-written"
  case partRecorded = "part-recorded"
  case partRenamed = "part-renamed"
  case namesFlushed = "names-flushed"
  case slicePublished = "slice-published"
  case slicesDone = "slices-done"
  case jobFinished = "job-finished"
  case runFinishing = "run-finishing"
  case retentionReleased = "retention-released"
  case retentionRemoved = "retention-removed"

  /// Environment variable that is set for a worker.
  static let workerMark = "FUSELINE_WORKER"

  private enum Action: String { case kill, crash, hang, term }

  private static let armed: (point: FaultPoint, action: Action)? = {
    let parts = ProcessInfo.processInfo.environment["FUSELINE_FAULT"]?.split(separator: "=").map(String.init)
    guard let name = parts?.first, let point = FaultPoint(rawValue: name) else { return nil }
    return (point, (parts?.dropFirst().first).flatMap(Action.init) ?? .kill)
  }()

  private static let hasTold = Atomic<Bool>(false)

  static func reach(_ point: FaultPoint) {
    guard let armed, armed.point == point else { return }
    switch armed.action {
    case .kill:
      if ProcessInfo.processInfo.environment[workerMark] != nil { Foundation.kill(getppid(), SIGKILL) }
      Foundation.kill(getpid(), SIGKILL)
    case .crash: Foundation.kill(getpid(), SIGABRT)
    case .hang: while true { sleep(1) }
    case .term:
      guard !hasTold.exchange(true, ordering: .relaxed) else { return }
      if ProcessInfo.processInfo.environment[workerMark] != nil { Foundation.kill(getppid(), SIGTERM) }
      Foundation.kill(getpid(), SIGTERM)
    }
  }
}
