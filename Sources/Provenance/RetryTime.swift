// Which failed jobs are to be tried again now.

public import Foundation

/// A failed job is due when the end of its pause has come – or lies further ahead than any pause is long: that was reckoned
/// by a clock that has been put back since, and waiting for it again could take days.
public struct RetryTime: Sendable {
  /// Ends of pauses up to this one have come, those after `beyond` are not believed; UTC as the ledger writes it.
  let before: String
  let beyond: String

  /// - Parameter longestPause: of all rules, seconds.
  public init(now: Date, longestPause: TimeInterval) {
    self.init(before: now, beyond: now.addingTimeInterval(longestPause))
  }

  private init(before: Date, beyond: Date) {
    self.before = Timestamp.text(before)
    self.beyond = Timestamp.text(beyond)
  }

  /// Every failed job that is not a dead letter.
  public static var always: RetryTime { RetryTime(before: .distantFuture, beyond: .distantFuture) }
  /// None.
  public static var never: RetryTime { RetryTime(before: .distantPast, beyond: .distantFuture) }

  /// - Parameter retryAt: the end of a job's pause; nil where it will not be tried again by itself.
  public func includes(_ retryAt: String?) -> Bool {
    retryAt.map { $0 <= before || $0 > beyond } ?? false
  }
}
