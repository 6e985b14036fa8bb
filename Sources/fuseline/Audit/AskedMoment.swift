// Moments as people type them, in the machine's time zone.

import Foundation
import Provenance

enum AskedMoment {
  /// - Throws: `ExitStatus` 64 naming the forms that are understood.
  static func date(_ text: String) throws -> Date {
    if let date = AskedTime.date(text, now: Date(), timeZone: .current) { return date }
    throw ExitStatus(
      code: EX_USAGE,
      sentence: "“\(text)” is not a moment; write 2026-01-31, 2026-01-31T22:00, today, yesterday, 12h or 7d")
  }
}
