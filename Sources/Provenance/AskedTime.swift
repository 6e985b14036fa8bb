// Moments as people type them after --since and --until.

public import Foundation

/// Understands `now`, `today`, `yesterday`, a span back from now (`90m`, `12h`, `7d`, `2w`), a day
/// (`2026-03-01`, its beginning) and ISO 8601 times with or without a zone. Days and times without a zone are
/// those of the given time zone.
public enum AskedTime {
  public static func date(_ text: String, now: Date, timeZone: TimeZone) -> Date? {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    let today = calendar.startOfDay(for: now)
    switch text {
    case "now": return now
    case "today": return today
    case "yesterday": return calendar.date(byAdding: .day, value: -1, to: today)
    default: break
    }
    if let unit = text.last, let seconds = spans[unit], let count = Int(text.dropLast()), count >= 0 {
      return now.addingTimeInterval(-Double(count) * seconds)
    }
    return Timestamp.date(text) ?? zoned(text) ?? local(text, calendar)
  }

  /// Seconds.
  private static let spans: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]

  /// With an offset, such as 2026-03-01T02:00:00+01:00.
  private static func zoned(_ text: String) -> Date? {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime, .withColonSeparatorInTimeZone]
    return formatter.date(from: text)
  }

  private static func local(_ text: String, _ calendar: Calendar) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.calendar = calendar
    formatter.timeZone = calendar.timeZone
    formatter.isLenient = false
    for format in ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm"] {
      formatter.dateFormat = format
      if let date = formatter.date(from: text) { return date }
    }
    return nil
  }
}
