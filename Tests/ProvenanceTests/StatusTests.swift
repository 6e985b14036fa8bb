// The queue's state and the file's soundness.

import Testing

@testable import Provenance

@Suite struct StatusTests {
  @Test func `the queue counts what waits, what will be tried again and what is dead`() throws {
    let fixture = try Fixture()
    let ledger = fixture.ledger
    let (run, _) = try fixture.finished()
    let (_, failed) = try fixture.planned(inputs: "a")
    let opened = fixture.clock.now
    fixture.clock.advance(10)
    _ = try fixture.planned(inputs: "c")
    let (last, dead) = try fixture.planned(inputs: "b")
    for (job, retry) in [(failed, opened), (dead, nil)] {
      _ = try ledger.startAttempt(job: job.id, run: run)
      try ledger.failJob(job.id, reason: "timeout", sentence: "the worker hung", retryAt: retry)
    }
    let queue = try ledger.queue()
    #expect(queue.done == 1 && queue.retrying == 1 && queue.dead == 1 && queue.pending == 1)
    #expect(queue.outputs == 3 && queue.lastRun == last)
    // The study came before its job was opened.
    #expect(
      queue.oldestWaiting == "2026-03-01T02:00:00.000Z" && queue.lastPublished == "2026-03-01T02:00:01.500Z")
  }

  @Test func `outside the window a study waits since its last image, before there is a job`() throws {
    let fixture = try Fixture()
    let run = try fixture.ledger.beginRun(command: "watch", settings: nil, software: nil)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: run)
    fixture.clock.advance(60)
    let last = Timestamp.text(fixture.clock.now)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.1"), run: run)
    fixture.clock.advance(3600)
    #expect(try fixture.ledger.queue().oldestWaiting == last)
    #expect(try fixture.ledger.studiesToDo() == 1)
  }

  @Test func `a sound file has no findings, a row without its parent has one`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    #expect(try fixture.ledger.integrityFindings().isEmpty)
    try fixture.tamper("DELETE FROM models")
    let findings = try fixture.ledger.integrityFindings()
    #expect(findings == ["a row of jobs refers to one of models that is not there"])
  }
}
