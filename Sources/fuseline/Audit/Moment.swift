// Moments as people type them, in the local time zone; dates and times, days and hours ago.

import Foundation

enum Moment {
  /// - Throws: `ExitStatus` 64 naming the forms that are understood.
  static func parse(_ text: String, now: Date = Date(), calendar: Calendar = .current) throws -> Date {
    switch text {
    case "now": return now
    case "today": return calendar.startOfDay(for: now)
    case "yesterday":
      if let day = calendar.date(byAdding: .day, value: -1, to: now) { return calendar.startOfDay(for: day) }
    default: break
    }
    if let unit = text.last, let count = Double(text.dropLast()),
      let seconds = ["m": 60.0, "h": 3600, "d": 86_400][unit]
    {
      return now.addingTimeInterval(-count * seconds)
    }
    for format in ["yyyy-MM-dd'T'HH:mm:ssXXXXX", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd"]
    {
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.timeZone = calendar.timeZone
      formatter.dateFormat = format
      if let date = formatter.date(from: text) { return date }
    }
    throw ExitStatus(
      code: EX_USAGE,
      sentence: "“\(text)” is not a moment; write 2026-01-31, 2026-01-31T22:00, today, yesterday, 12h or 7d")
  }
}
