// The clock on the wall of a time zone: which moments show a given time of a day, also when the clocks change.

public import Foundation

/// Days and times of day of one time zone.
public struct WallClock: Hashable, Sendable {
  /// Days since 1970-01-01 by the zone's own calendar.
  public typealias Day = Int

  let zone: TimeZone

  public init(_ zone: TimeZone) { self.zone = zone }

  /// The day that the zone's calendar shows at a moment.
  func day(of date: Date) -> Day {
    let local = date.timeIntervalSince1970 + Double(zone.secondsFromGMT(for: date))
    return Int((local / 86_400).rounded(.down))
  }

  /// Month (1…12), day of the month (1…31) and weekday (0…6, 0 is Sunday).
  static func parts(of day: Day) -> (month: Int, day: Int, weekday: Int) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents(
      [.month, .day, .weekday], from: Date(timeIntervalSince1970: Double(day) * 86_400))
    return (parts.month ?? 1, parts.day ?? 1, (parts.weekday ?? 1) - 1)
  }

  /// The moments at which the wall shows `minutes` after midnight: one, none where the clocks skip it, two where they
  /// show it twice; in order.
  func moments(of minutes: Int, on day: Day) -> [Date] {
    let wall = Double(day) * 86_400 + Double(minutes) * 60
    // Clocks change at most once in two days: the offsets a day before and after are all that can apply.
    let offsets = Set([-86_400.0, 86_400.0].map { offset(at: wall + $0) })
    return offsets.map { wall - $0 }.filter { wall - offset(at: $0) == $0 }.sorted()
      .map(Date.init(timeIntervalSince1970:))
  }

  /// The first moment at which the wall shows a time, or has skipped it.
  func firstMoment(of minutes: Int, on day: Day) -> Date {
    if let moment = moments(of: minutes, on: day).first { return moment }
    let wall = Double(day) * 86_400 + Double(minutes) * 60
    let before = Date(timeIntervalSince1970: wall - offset(at: wall - 86_400) - 86_400)
    return zone.nextDaylightSavingTimeTransition(after: before)
      ?? Date(timeIntervalSince1970: wall - offset(at: wall + 86_400))
  }

  private func offset(at seconds: Double) -> Double {
    Double(zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds)))
  }
}
