// How often and when a job is tried again that failed for the machine's sake. Unsafe data is never tried again.

/// Attempts and pauses for one class of failure.
public struct RetryRule: Codable, Hashable, Sendable {
  /// Attempts in all before the job is a dead letter; 0 is without end.
  public var attempts: Int
  /// Pause after the first failure, seconds.
  public var delay: Double
  /// Each further pause is this much longer than the one before …
  public var multiplier: Double
  /// … up to this, seconds.
  public var maximum: Double
  /// Fraction (0…1) by which a pause is made longer or shorter, so that jobs that failed together part.
  public var jitter: Double

  /// The pause after an attempt, seconds; nil where it was the last one.
  ///
  /// - Parameters:
  ///   - attempt: 1, 2, …
  ///   - key: the job's key; the same job and attempt always draw the same jitter.
  func delay(afterAttempt attempt: Int, of key: String) -> Double? {
    if attempts > 0 && attempt >= attempts { return nil }
    var pause = delay
    for _ in 1..<max(attempt, 1) where pause < maximum { pause *= multiplier }
    // 32 bits of a digest as a number in -1…1.
    let draw = Double(UInt32(sha256Hex("\(key) \(attempt)").prefix(8), radix: 16) ?? 0) / Double(UInt32.max)
    return min(pause, maximum) * (1 + jitter * (2 * draw - 1))
  }
}

public struct RetrySettings: Codable, Hashable, Sendable {
  /// No space left on a disk.
  public var diskFull: RetryRule
  /// A file or folder that could not be read or written.
  public var files: RetryRule
  /// Not done within `processing.deadline`.
  public var deadline: RetryRule
  /// The worker process was lost: memory, or a fault in a library.
  public var crash: RetryRule
  public var other: RetryRule

  /// The longest pause that any rule can give, seconds.
  var longestPause: Double {
    [diskFull, files, deadline, crash, other].map { $0.maximum * (1 + $0.jitter) }.max() ?? 0
  }

  /// The rule for a failure's reason code.
  func rule(for code: String) -> RetryRule {
    switch code {
    case MachineFault.noSpace: diskFull
    case "file_error", "cannot_write", "unreadable": files
    case "timeout": deadline
    case "worker_crashed": crash
    default: other
    }
  }
}

extension RetrySettings {
  init(_ section: YAMLSection) throws {
    try section.allow(["disk_full", "files", "deadline", "crash", "other"])
    diskFull = try RetryRule(section.section("disk_full"))
    files = try RetryRule(section.section("files"))
    deadline = try RetryRule(section.section("deadline"))
    crash = try RetryRule(section.section("crash"))
    other = try RetryRule(section.section("other"))
  }
}

extension RetryRule {
  init(_ section: YAMLSection) throws {
    try section.allow(["attempts", "delay", "multiplier", "maximum", "jitter"])
    attempts = try section.int("attempts", in: 0...1000)
    delay = try section.duration("delay", atLeast: 0)
    maximum = try section.duration("maximum", atLeast: delay)
    multiplier = try section.number("multiplier", in: 1...100)
    jitter = try section.quantity("jitter", units: ["%": 0.01])
    if !(0...1).contains(jitter) { throw section.error("jitter", "must be from 0 % to 100 %") }
  }
}
