// The five fields of cron, read and matched against the wall clock; when something is due, not what is done then.

public import Foundation

/// `minute hour day month weekday`, each `*`, a number, a range `1-5`, a list `1,15` or steps `*/10`; months and
/// weekdays also by their English three-letter names; Sunday is 0 or 7. Where day and weekday are both restricted,
/// either is enough, as cron has always had it.
public struct CronExpression: Codable, Hashable, Sendable {
  public let text: String
  private let minutes: Set<Int>
  private let hours: Set<Int>
  private let days: Set<Int>
  private let months: Set<Int>
  private let weekdays: Set<Int>
  /// Fires in every hour: then it follows the time that passes, not the hours on the clock.
  private let isHourly: Bool
  private let daysAndWeekdaysRestricted: Bool

  /// Years ahead that are searched: February 29 on a given weekday comes at least this often.
  private static let horizonYears = 41

  /// - Returns: nil for anything else than such an expression.
  public init?(_ text: String) {
    let fields = text.split(separator: " ", omittingEmptySubsequences: true).map { String($0).lowercased() }
    guard fields.count == 5,
      let minutes = Self.values(fields[0], in: 0...59), let hours = Self.values(fields[1], in: 0...23),
      let days = Self.values(fields[2], in: 1...31),
      let months = Self.values(fields[3], in: 1...12, names: Self.monthNames, first: 1),
      let weekdays = Self.values(fields[4], in: 0...7, names: Self.weekdayNames, first: 0)
    else { return nil }
    self.text = fields.joined(separator: " ")
    self.minutes = minutes
    self.hours = hours
    self.days = days
    self.months = months
    self.weekdays = Set(weekdays.map { $0 % 7 })
    isHourly = hours.count == 24
    daysAndWeekdaysRestricted = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
  }

  private static let monthNames = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

  private static func values(
    _ field: String, in range: ClosedRange<Int>, names: [String] = [], first: Int = 0
  ) -> Set<Int>? {
    func number(_ text: Substring) -> Int? {
      if let index = names.firstIndex(of: String(text)) { return index + first }
      guard text.allSatisfy(\.isNumber), let value = Int(text), range.contains(value) else { return nil }
      return value
    }
    var result: Set<Int> = []
    for part in field.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(pieces.count), let step = pieces.count == 2 ? Int(pieces[1]) : 1, step > 0 else {
        return nil
      }
      var (low, high) = (range.lowerBound, range.upperBound)
      if pieces[0] != "*" {
        let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(ends.count), let start = number(ends[0]) else { return nil }
        low = start
        if ends.count == 2 {
          guard let end = number(ends[1]), end >= low else { return nil }
          high = end
        } else if pieces.count == 1 {
          high = low
        }
      }
      result.formUnion(stride(from: low, through: high, by: step))
    }
    return result
  }

  /// The first moment after `date` at which it fires, nil where it never does (February 30).
  ///
  /// A time that the clocks skip fires when they have skipped it; one they show twice fires the first time only.
  /// Expressions that fire every hour go on every hour through both changes.
  public func next(after date: Date, in zone: WallClock) -> Date? {
    let first = zone.day(of: date)
    for day in first...(first + Self.horizonYears * 366) where matches(day) {
      if let moment = moments(on: day, in: zone).first(where: { $0 > date }) { return moment }
    }
    return nil
  }

  private func matches(_ day: WallClock.Day) -> Bool {
    let parts = WallClock.parts(of: day)
    guard months.contains(parts.month) else { return false }
    let (onDay, onWeekday) = (days.contains(parts.day), weekdays.contains(parts.weekday))
    return daysAndWeekdaysRestricted ? onDay || onWeekday : onDay && onWeekday
  }

  private func moments(on day: WallClock.Day, in zone: WallClock) -> [Date] {
    var moments: Set<Date> = []
    for hour in hours {
      for minute in minutes {
        let real = zone.moments(of: hour * 60 + minute, on: day)
        if isHourly {
          moments.formUnion(real)
        } else {
          moments.insert(real.first ?? zone.firstMoment(of: hour * 60 + minute, on: day))
        }
      }
    }
    return moments.sorted()
  }
}
