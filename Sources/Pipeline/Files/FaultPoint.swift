// Places where a test can stop the process as if its power had been cut; nothing happens there otherwise.

import Foundation

/// A moment between two steps that must be safe to be killed at.
///
/// The environment variable `FUSELINE_FAULT` names one; reaching it ends the process by SIGKILL.
public enum FaultPoint: String, CaseIterable, Sendable {
  case leaseTaken = "lease-taken"
  case reconciled = "reconciled"
  case runBegun = "run-begun"
  case fileJudged = "file-judged"
  case filePlaced = "file-placed"
  case fileRecorded = "file-recorded"
  case fileSettled = "file-settled"
  case refusalPlaced = "refusal-placed"
  case refusalExplained = "refusal-explained"
  case refusalRecorded = "refusal-recorded"
  case intakeDone = "intake-done"
  case jobOpened = "job-opened"
  case attemptStarted = "attempt-started"
  case pairPrepared = "pair-prepared"
  case sliceFused = "slice-fused"
  case publishIntended = "publish-intended"
  case partWritten = "part-written"
  case partRecorded = "part-recorded"
  case partRenamed = "part-renamed"
  case slicePublished = "slice-published"
  case slicesDone = "slices-done"
  case jobFinished = "job-finished"
  case runFinishing = "run-finishing"

  private static let armed = ProcessInfo.processInfo.environment["FUSELINE_FAULT"].flatMap(FaultPoint.init)

  static func reach(_ point: FaultPoint) {
    if armed == point { kill(getpid(), SIGKILL) }
  }
}
