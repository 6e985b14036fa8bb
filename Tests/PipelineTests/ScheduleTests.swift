// The nightly window and cron: across midnight, and through both changes of daylight saving time.

import Foundation
import Testing

@testable import Pipeline

@Suite struct ScheduleTests {
  private func schedule(_ text: String, _ zone: String) throws -> Schedule {
    try #require(Schedule(text, timeZone: zone))
  }

  private func open(_ text: String, _ moment: String, zone: String = "Europe/Vienna") throws -> Bool {
    let date = try Date(moment, strategy: .iso8601)
    return try schedule(text, zone).isOpen(at: date, lastPass: date)
  }

  private func next(_ text: String, _ moment: String, zone: String = "Europe/Vienna") throws -> String? {
    try schedule(text, zone).nextOpening(after: Date(moment, strategy: .iso8601))?.formatted(.iso8601)
  }

  /// The first moments after one at which an expression fires.
  private func fires(_ text: String, _ moment: String, count: Int, zone: String = "Europe/Vienna") throws
    -> [String]
  {
    var date = try Date(moment, strategy: .iso8601)
    return try (0..<count).map { _ in
      date = try #require(schedule(text, zone).nextOpening(after: date))
      return date.formatted(.iso8601)
    }
  }

  @Test func `immediate is always open`() throws {
    #expect(try open("immediate", "2026-06-01T12:00:00Z"))
    #expect(try next("immediate", "2026-06-01T12:00:00Z") == nil)
  }

  @Test func `a window across midnight is open on both sides of it and shut by day`() throws {
    #expect(try open("22:00-06:00", "2026-01-10T21:30:00Z"))
    #expect(try open("22:00-06:00", "2026-01-11T04:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-01-11T05:00:00Z"))
    #expect(try !open("22:00-06:00", "2026-01-11T12:00:00Z"))
    #expect(try open("01:00-05:00", "2026-01-11T03:59:00Z"))
    #expect(try next("22:00-06:00", "2026-01-11T12:00:00Z") == "2026-01-11T21:00:00Z")
    #expect(try next("22:00-06:00", "2026-01-11T22:00:00Z") == "2026-01-12T21:00:00Z")
  }

  @Test func `the window keeps the hours on the wall when the clocks change`() throws {
    // Europe/Vienna springs forward on 2026-03-29 and falls back on 2026-10-25, both at 01:00 UTC.
    #expect(try open("22:00-06:00", "2026-03-29T03:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-03-29T04:00:00Z"))
    #expect(try open("22:00-06:00", "2026-10-25T04:59:00Z"))
    #expect(try !open("22:00-06:00", "2026-10-25T05:00:00Z"))
    #expect(try next("22:00-06:00", "2026-03-29T12:00:00Z") == "2026-03-29T20:00:00Z")
  }

  @Test func `a window that the clocks skip opens after the gap and keeps its length`() throws {
    #expect(try !open("02:10-02:50", "2026-03-29T00:59:00Z"))
    #expect(try open("02:10-02:50", "2026-03-29T01:00:00Z"))
    #expect(try open("02:10-02:50", "2026-03-29T01:39:00Z"))
    #expect(try !open("02:10-02:50", "2026-03-29T01:40:00Z"))
  }

  @Test func `a window inside the hour that is shown twice is open once`() throws {
    let open = try ["00:15", "00:45", "01:15", "01:45"].map {
      try self.open("02:00-02:30", "2026-10-25T\($0):00Z")
    }
    #expect(open == [true, false, false, false])
  }

  @Test(arguments: [
    "", "22:00", "22:00-22:00", "24:00-06:00", "9:00-10:00", "22:00-06:00-07:00", "night", "* * * *",
    "60 * * * *",
    "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "* * * * * *",
    "a * * * *",
    "1,, * * * *", "-1 * * * *",
  ])
  func `anything else is refused`(_ text: String) {
    #expect(Schedule(text, timeZone: "Europe/Vienna") == nil)
  }

  @Test(arguments: [
    ("30 1 * * *", "2026-06-01T12:00:00Z", ["2026-06-01T23:30:00Z", "2026-06-02T23:30:00Z"]),
    ("0 2 * * 1-5", "2026-06-05T12:00:00Z", ["2026-06-08T00:00:00Z", "2026-06-09T00:00:00Z"]),
    ("0 2 * * mon,WED", "2026-06-01T12:00:00Z", ["2026-06-03T00:00:00Z", "2026-06-08T00:00:00Z"]),
    ("*/20 5-6 * * *", "2026-06-01T00:00:00Z", ["2026-06-01T03:00:00Z", "2026-06-01T03:20:00Z"]),
    ("0 0 29 feb *", "2026-06-01T00:00:00Z", ["2028-02-28T23:00:00Z", "2032-02-28T23:00:00Z"]),
    (
      "0 12 13 * 5", "2026-06-01T00:00:00Z",
      ["2026-06-05T10:00:00Z", "2026-06-12T10:00:00Z", "2026-06-13T10:00:00Z"]
    ),
    ("0 12 * * 7", "2026-06-01T00:00:00Z", ["2026-06-07T10:00:00Z"]),
  ])
  func `cron fires by the wall clock of its zone`(_ text: String, _ from: String, _ expected: [String]) throws
  {
    #expect(try fires(text, from, count: expected.count) == expected)
  }

  @Test func `a skipped time fires after the gap, a repeated one once, and every hour means every hour`()
    throws
  {
    #expect(
      try fires("30 2 * * *", "2026-03-28T12:00:00Z", count: 2) == [
        "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
      ])
    #expect(
      try fires("30 2 * * *", "2026-10-24T12:00:00Z", count: 2) == [
        "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
      ])
    #expect(
      try fires("30 * * * *", "2026-10-24T23:45:00Z", count: 3) == [
        "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z",
      ])
    #expect(
      try fires("30 * * * *", "2026-03-29T00:15:00Z", count: 2) == [
        "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z",
      ])
    // Lord Howe Island moves its clocks by half an hour.
    #expect(
      try fires("15 2 * * *", "2026-10-03T00:00:00Z", count: 1, zone: "Australia/Lord_Howe") == [
        "2026-10-03T15:30:00Z"
      ])
  }

  @Test func `a pass that was missed is due at once, and then not again before its time`() throws {
    let cron = try schedule("30 1 * * *", "UTC")
    let date = { try Date($0, strategy: .iso8601) }
    #expect(try cron.isOpen(at: date("2026-06-03T09:00:00Z"), lastPass: date("2026-06-01T01:30:00Z")))
    #expect(try !cron.isOpen(at: date("2026-06-03T09:00:10Z"), lastPass: date("2026-06-03T09:00:00Z")))
    #expect(try cron.isOpen(at: date("2026-06-04T01:30:00Z"), lastPass: date("2026-06-03T09:00:00Z")))
    #expect(try !cron.isOver(at: date("2026-06-03T09:00:00Z")))
  }

  @Test func `February 30 never comes`() throws {
    #expect(try next("0 0 30 2 *", "2026-06-01T00:00:00Z") == nil)
  }
}
