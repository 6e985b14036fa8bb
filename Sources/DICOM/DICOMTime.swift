// DICOM dates and times as seconds on one axis, for differences only; no calendar library, no clock.

/// A point in time as PS3.5 6.2 writes it (DA, TM, DT).
enum DICOMTime {
  static let day = 86_400.0

  /// Seconds since 1970-01-01 of a DA and a TM value; nil when either cannot be understood.
  static func seconds(date: String?, time: String?) -> Double? {
    guard let date, let time, let days = days(date), let seconds = secondsOfDay(time) else { return nil }
    return days * day + seconds
  }

  /// Seconds since 1970-01-01 of a DT value with at least hours, and its own offset from UTC in seconds.
  static func seconds(dateTime: String) -> (seconds: Double, offset: Double?)? {
    let text = dateTime.trimmingSpaces()
    let sign = text.firstIndex { $0 == "+" || $0 == "-" }
    let local = text[..<(sign ?? text.endIndex)]
    guard local.utf8.count >= 10, let days = days(String(local.prefix(8))),
      let seconds = secondsOfDay(String(local.dropFirst(8)))
    else { return nil }
    return (days * day + seconds, sign.flatMap { offset(String(text[$0...])) })
  }

  /// Seconds of `+hhmm` or `-hhmm`.
  static func offset(_ text: String) -> Double? {
    guard let sign = text.first, sign == "+" || sign == "-", text.utf8.count == 5,
      let digits = number(text.dropFirst()), digits >= 0
    else { return nil }
    let seconds = Double(digits / 100 * 3600 + digits % 100 * 60)
    return sign == "-" ? -seconds : seconds
  }

  /// Days since 1970-01-01 of `YYYYMMDD` or the older `YYYY.MM.DD`, proleptic Gregorian.
  static func days(_ date: String) -> Double? {
    let digits = date.filter { $0 != "." }
    guard digits.utf8.count == 8, let value = number(digits) else { return nil }
    let (year, month, dayOfMonth) = (value / 10_000, value / 100 % 100, value % 100)
    guard (1...12).contains(month), (1...31).contains(dayOfMonth) else { return nil }
    // Years that begin in March put the leap day last.
    let shifted = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + dayOfMonth - 1
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear
    return Double(days - 719_468)
  }

  /// Seconds of `HH`, `HHMM`, `HHMMSS`, `HHMMSS.FFFFFF` or the older form with colons.
  static func secondsOfDay(_ time: String) -> Double? {
    let parts = time.filter { $0 != ":" }.split(separator: ".", omittingEmptySubsequences: false)
    guard let clock = parts.first, [2, 4, 6].contains(clock.utf8.count), let value = number(clock),
      parts.count <= 2
    else { return nil }
    let padded = clock.utf8.count == 2 ? value * 10_000 : clock.utf8.count == 4 ? value * 100 : value
    let (hours, minutes, seconds) = (padded / 10_000, padded / 100 % 100, padded % 100)
    guard hours < 24, minutes < 60, seconds <= 60 else { return nil }
    guard parts.count == 2 else { return Double(hours * 3600 + minutes * 60 + seconds) }
    guard parts[1].utf8.count <= 6, let fraction = number(parts[1]) else { return nil }
    let scale = (0..<parts[1].utf8.count).reduce(1.0) { scale, _ in scale * 10 }
    return Double(hours * 3600 + minutes * 60 + seconds) + Double(fraction) / scale
  }

  /// Decimal digits only: `Int.init` would take signs.
  private static func number(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(text)
  }
}
