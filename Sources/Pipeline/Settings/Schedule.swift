// When pairs may be fused: at once, or inside a nightly window. Intake never waits for it.

public import Foundation

public enum Schedule: Codable, Hashable, Sendable {
  case immediate
  /// Minutes after local midnight; a window whose end is not after its start crosses midnight.
  case window(start: Int, end: Int, timeZone: String)

  /// Reads `immediate` or `22:00-06:00`.
  ///
  /// - Returns: nil for anything else, or an unknown time zone.
  public init?(_ text: String, timeZone: String) {
    if text == "immediate" {
      self = .immediate
      return
    }
    let times = text.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
    guard times.count == 2, let start = times[0], let end = times[1], start != end,
      TimeZone(identifier: timeZone) != nil
    else { return nil }
    self = .window(start: start, end: end, timeZone: timeZone)
  }

  private static func minutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int(parts[0]),
      let minute = Int(parts[1]),
      (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    return hour * 60 + minute
  }

  /// May pairs be fused at this moment? Decided by the wall clock of the zone, so that a window keeps its hours
  /// through changes of daylight saving time.
  public func isOpen(at date: Date) -> Bool {
    guard case .window(let start, let end, let zone) = self else { return true }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
    let parts = calendar.dateComponents([.hour, .minute], from: date)
    let now = (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    return start < end ? (start..<end).contains(now) : now >= start || now < end
  }
}
