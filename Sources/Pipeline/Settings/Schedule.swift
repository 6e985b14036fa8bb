// When pairs may be fused: at once, inside a nightly window, or by cron. Intake never waits for it.

public import Foundation

public enum Schedule: Codable, Hashable, Sendable {
  case immediate
  /// Minutes after local midnight; a window whose end is not after its start crosses midnight.
  case window(start: Int, end: Int, timeZone: String)
  /// A pass over everything that has settled, each time it fires.
  case cron(CronExpression, timeZone: String)

  /// Reads `immediate`, `22:00-06:00` or `30 1 * * *`.
  ///
  /// - Returns: nil for anything else, or an unknown time zone.
  public init?(_ text: String, timeZone: String) {
    guard TimeZone(identifier: timeZone) != nil else { return nil }
    if text == "immediate" {
      self = .immediate
    } else if let cron = CronExpression(text) {
      self = .cron(cron, timeZone: timeZone)
    } else if let (start, end) = Self.times(text) {
      self = .window(start: start, end: end, timeZone: timeZone)
    } else {
      return nil
    }
  }

  private static func times(_ text: String) -> (Int, Int)? {
    let times = text.split(separator: "-", omittingEmptySubsequences: false).map(minutes)
    guard times.count == 2, let start = times[0], let end = times[1], start != end else { return nil }
    return (start, end)
  }

  private static func minutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int(parts[0]),
      let minute = Int(parts[1]),
      (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    return hour * 60 + minute
  }

  /// May pairs be fused at this moment?
  ///
  /// - Parameter lastPass: when the last pass by cron began; one that was missed since is due now.
  public func isOpen(at date: Date, lastPass: Date) -> Bool {
    switch self {
    case .immediate: true
    case .window: window(around: date, from: -1).map { $0.contains(date) } ?? false
    case .cron(let cron, let zone):
      cron.next(after: lastPass, in: Self.clock(zone)).map { $0 <= date } ?? false
    }
  }

  /// Must work that is under way be put down at this moment? Only a window ends.
  public func isOver(at date: Date) -> Bool {
    guard case .window = self else { return false }
    return !isOpen(at: date, lastPass: date)
  }

  /// The next moment at which pairs may begin to be fused; nil where they may at any time.
  public func nextOpening(after date: Date) -> Date? {
    switch self {
    case .immediate: nil
    case .window: (0...2).lazy.compactMap { window(around: date, from: $0)?.start }.first { $0 > date }
    case .cron(let cron, let zone): cron.next(after: date, in: Self.clock(zone))
    }
  }

  /// The window that contains `date`, or the one that begins `days` after its day.
  ///
  /// Its hours are those on the wall: it is as much shorter or longer as the clocks change in it. One that the clocks
  /// skip wholly begins when they have skipped it and keeps its length.
  private func window(around date: Date, from days: Int) -> DateInterval? {
    guard case .window(let start, let end, let zone) = self else { return nil }
    let clock = Self.clock(zone)
    let today = clock.day(of: date)
    let intervals = (min(days, 0)...max(days, 0)).map { offset in
      let opening = clock.firstMoment(of: start, on: today + offset)
      let closing = clock.firstMoment(of: end, on: today + offset + (end > start ? 0 : 1))
      let length = Double((end - start + 1440) % 1440) * 60
      return DateInterval(start: opening, end: closing > opening ? closing : opening + length)
    }
    return days < 0 ? intervals.first { $0.start <= date && date < $0.end } : intervals.last
  }

  private static func clock(_ zone: String) -> WallClock { WallClock(TimeZone(identifier: zone) ?? .gmt) }
}
