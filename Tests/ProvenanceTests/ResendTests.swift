// Images sent again: a dead letter's work gets a fresh job, images that were let go are back, old events can be exported.

import Crypto
import Foundation
import Testing

@testable import Provenance

@Suite struct ResendTests {
  private let new = NewJob(
    kind: "CT-MR", fixedSeriesUID: "1.2.2", movingSeriesUID: "1.2.3", inputsSHA256: Fixture.digest("inputs"),
    model: 1,
    settings: 1, software: 1, outputSeriesUID: "2.25.9", plannedSlices: 3)

  private func sendAgain(_ sop: String, _ fixture: Fixture) throws {
    guard case .duplicate = try fixture.ledger.recordAccepted(Fixture.instance(sop), run: nil) else {
      return #expect(Bool(false), "\(sop) is a duplicate")
    }
  }

  /// A dead letter of which one slice had been published.
  private func dead(_ fixture: Fixture) throws -> Int64 {
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    try fixture.ledger.commitPublished(Fixture.slice(0), job: job.id, attempt: attempt, intent: nil)
    try fixture.ledger.failJob(job.id, reason: "timeout", sentence: "not done after 3 s", retryAt: nil)
    return job.id
  }

  @Test func `sending a dead letter's images again opens one fresh job and keeps the dead one as history`()
    throws
  {
    let fixture = try Fixture()
    let old = try dead(fixture)
    try sendAgain("1.2.2.0", fixture)
    try sendAgain("1.2.2.1", fixture)
    let dead = try fixture.ledger.jobState(old)
    #expect(dead.state == .superseded && dead.reason == "timeout" && dead.attempts == 1)
    let fresh = try fixture.ledger.openJob(new, run: nil)
    #expect(fresh.id == old + 1 && fresh.state == .pending && fresh.attempts == 0)
    #expect(try fixture.value("SELECT count(*) FROM jobs") == 2)
    #expect(try fixture.value("SELECT superseded_by FROM jobs WHERE id = \(old)") == fresh.id)
    #expect(try fixture.ledger.publishedSlices(job: fresh.id) == [0])
    #expect(try fixture.ledger.dueStudies(retry: .never).map(\.uid) == ["1.2.1"])
    let attempt = try fixture.ledger.startAttempt(job: fresh.id, run: nil)
    for index in 1..<3 {
      try fixture.ledger.commitPublished(Fixture.slice(index), job: fresh.id, attempt: attempt, intent: nil)
    }
    try fixture.ledger.finishJob(fresh.id)
    #expect(try fixture.ledger.openJob(new, run: nil).state == .done)
    let verdict = try fixture.ledger.verify()
    #expect(verdict.whole, "\(verdict.broken)")
  }

  @Test func `a fresh job that dies and is sent again gets another`() throws {
    let fixture = try Fixture()
    let old = try dead(fixture)
    for round in 1...3 {
      try sendAgain("1.2.2.0", fixture)
      let fresh = try fixture.ledger.openJob(new, run: nil)
      #expect(fresh.id == old + Int64(round))
      _ = try fixture.ledger.startAttempt(job: fresh.id, run: nil)
      try fixture.ledger.failJob(fresh.id, reason: "timeout", sentence: "not done after 3 s", retryAt: nil)
    }
    #expect(try fixture.ledger.deadLetters() == [old + 3])
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `a pause reckoned by a clock that was put back since is over`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    let now = fixture.clock.now
    try fixture.ledger.failJob(
      job.id, reason: "timeout", sentence: "not done after 3 s", retryAt: now.addingTimeInterval(300))
    let study = try #require(try fixture.ledger.dueStudies(retry: .always).first)
    try fixture.ledger.markWorkedOff(study, key: "k")
    let retryAt = try fixture.ledger.jobState(job.id).retryAt
    // Seconds from now to the moment at which somebody looks; whether the job is tried again then.
    for (seconds, isDue) in [
      (0.0, false), (299, false), (300, true), (9_000, true), (-3_301, true), (-3_000, false),
    ] {
      let retry = RetryTime(now: now.addingTimeInterval(seconds), longestPause: 3600)
      #expect(retry.includes(retryAt) == isDue, "after \(seconds) s")
      #expect(try fixture.ledger.dueStudies(retry: retry).isEmpty != isDue, "after \(seconds) s")
    }
    #expect(!RetryTime.never.includes(retryAt) && !RetryTime.always.includes(nil))
  }

  @Test func `a pair's second job may be opened by a clock that was put back`() throws {
    let fixture = try Fixture()
    let (run, _) = try fixture.finished()
    fixture.clock.advance(-86_400)
    var later = new
    later.inputsSHA256 = Fixture.digest("more inputs")
    let job = try fixture.ledger.openJob(later, run: run)
    #expect(try fixture.value("SELECT count(*) FROM pairs") == 1 && job.id > 1)
    let verdict = try fixture.ledger.verify()
    #expect(verdict.whole, "\(verdict.broken)")
  }

  @Test func `only a series whose jobs are done and traced can be let go, and only once`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    let ledger = fixture.ledger
    fixture.clock.advance(100 * 86_400)
    let moment = fixture.clock.now.addingTimeInterval(-86_400)
    #expect(try ledger.releasableSeries(before: moment).isEmpty, "its study is not worked off")
    let study = try #require(try ledger.dueStudies(retry: .never).first)
    try ledger.markWorkedOff(study, key: "k")
    let series = try ledger.releasableSeries(before: moment)
    #expect(series.map(\.uid) == ["1.2.2", "1.2.3"])
    #expect(series.allSatisfy { $0.images.count == 3 && $0.outputs.count == 3 })
    #expect(try ledger.releasableSeries(before: fixture.clock.now.addingTimeInterval(-200 * 86_400)).isEmpty)
    #expect(try ledger.release(series[0], before: moment, run: nil))
    #expect(try !ledger.release(series[0], before: moment, run: nil))
    #expect(try ledger.openReleases().count == 3)
    #expect(
      try ledger.verify { _ in nil }.broken.filter { $0.what == .input }.count == 3, "the moving images")
    try ledger.markRemoved(try ledger.openReleases().map(\.instance))
    #expect(try ledger.openReleases().isEmpty)
    try sendAgain("1.2.2.1", fixture)
    #expect(try ledger.releasedSeries(studies: ["1.2.1"]) == ["1.2.2"])
    #expect(try fixture.value("SELECT count(*) FROM releases") == 2)
    #expect(try ledger.verify().whole)
    _ = job
  }

  @Test func `a release that nobody recorded does not excuse a missing file`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.tamper("INSERT INTO releases SELECT id, event, 'now' FROM instances")
    let broken = try fixture.ledger.verify { _ in nil }.broken
    #expect(broken.count { $0.what == .input } == 6)
  }

  @Test func `old events are exported once, in a file whose chain and signature prove it`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let key = try CheckpointKey.load(orCreate: fixture.folder + "/key")
    let last: Int64 = try fixture.value("SELECT max(seq) FROM events") ?? 0
    fixture.clock.advance(60)
    let moment = fixture.clock.now
    let range = try #require(try fixture.ledger.exportableEvents(before: moment))
    #expect(range == 1...last)
    let archive = try fixture.ledger.exportEvents(range, to: fixture.folder, key: key)
    let data = try Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/" + archive.file))
    #expect(hex(SHA256.hash(data: data)) == archive.sha256)
    let lines = data.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == Int(last) + 1)
    var before = EventChain.genesis
    for line in lines.dropLast() {
      let event = try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
      let text = { (name: String) in event[name] as? String ?? "" }
      before = EventChain.hash(
        seq: (event["seq"] as? NSNumber)?.int64Value ?? 0, time: text("time"), kind: text("kind"),
        subject: text("subject"), payload: text("payload"), previous: before)
      #expect(hex(before) == text("hash"))
    }
    let checkpoint = try JSONDecoder().decode(Checkpoint.self, from: Data(try #require(lines.last)))
    #expect(checkpoint.isSigned && checkpoint.hash == hex(before) && checkpoint.seq == last)
    #expect(try fixture.ledger.exportableEvents(before: moment) == nil)
    #expect(try fixture.ledger.verify().whole)
    fixture.clock.advance(1)
    #expect(try fixture.ledger.exportableEvents(before: fixture.clock.now) == (last + 1)...(last + 1))
  }
}
