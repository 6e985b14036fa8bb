// Regular expressions of the configuration, compiled once a process; which texts they match, not what follows.

import Synchronization

enum Expression {
  /// Regex is not Sendable; behind the lock only one thread has it.
  private static let compiled = Mutex<[String: Regex<AnyRegexOutput>]>([:])

  /// Does `expression` match anywhere in `text`, ignoring case? The reader has checked that it compiles.
  static func matches(_ expression: String, _ text: String) -> Bool {
    compiled.withLock { cache in
      if let regex = cache[expression] { return text.contains(regex) }
      guard let regex = try? Regex(expression).ignoresCase() else { return false }
      cache[expression] = regex
      return text.contains(regex)
    }
  }

  static func isValid(_ expression: String) -> Bool { (try? Regex(expression)) != nil }
}
