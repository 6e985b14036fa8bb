// The nightly window: across midnight, and through both changes of daylight saving time.

import Foundation
import Testing

@testable import Pipeline

@Suite struct ScheduleTests {
  private func open(_ text: String, _ moment: String, zone: String = "Europe/Vienna") throws -> Bool {
    let schedule = try #require(Schedule(text, timeZone: zone))
    return schedule.isOpen(at: try Date(moment, strategy: .iso8601))
  }

  @Test func `immediate is always open`() throws {
    #expect(try open("immediate", "2026-06-01T12:00:00Z"))
  }

  @Test func `a window across midnight is open on both sides of it and shut by day`() throws {
    #expect(try open("22:00-06:00", "2026-01-10T21:30:00Z"))
    #expect(try open("22:00-06:00", "2026-01-11T04:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-01-11T05:00:00Z"))
    #expect(try !open("22:00-06:00", "2026-01-11T12:00:00Z"))
    #expect(try open("01:00-05:00", "2026-01-11T03:59:00Z"))
  }

  @Test func `the window keeps the hours on the wall when the clocks change`() throws {
    // Europe/Vienna springs forward on 2026-03-29 and falls back on 2026-10-25, both at 01:00 UTC.
    #expect(try open("22:00-06:00", "2026-03-29T03:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-03-29T04:00:00Z"))
    #expect(try open("22:00-06:00", "2026-10-25T04:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-10-25T05:00:00Z"))
  }

  @Test(arguments: ["", "22:00", "22:00-22:00", "24:00-06:00", "9:00-10:00", "22:00-06:00-07:00", "night"])
  func `anything else is refused`(_ text: String) {
    #expect(Schedule(text, timeZone: "Europe/Vienna") == nil)
  }
}
