// The life of a job in the ledger, and that a second run finds it.

import Foundation
import Testing

@testable import Provenance

@Suite struct JobTests {
  @Test func `a finished job is found done by a second run over the same inputs`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    let (_, again) = try fixture.planned()
    #expect(again.id == job)
    #expect(again.state == .done)
    #expect(again.publishedSlices == 3)
    let (_, other) = try fixture.planned(inputs: "one slice more")
    #expect(other.id != job)
    #expect(other.state == .pending)
    #expect(try fixture.ledger.jobs().map(\.pair) == [1, 1], "both are jobs of one pair")
    #expect(try fixture.ledger.sql("SELECT jobs, job, state FROM v_pairs").rows == [[2, 2, "pending"]])
    try fixture.ledger.supersedeJob(other.id, by: job, reason: "test")
    #expect(try fixture.ledger.sql("SELECT jobs, job, state FROM v_pairs").rows == [[2, 1, "done"]])
  }

  @Test func `the run's summary counts what it did`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.finished()
    let summary = try fixture.ledger.summary(run: run)
    #expect(summary.instances.accepted == 6)
    #expect(summary.pairs.planned == 1 && summary.pairs.done == 1)
    #expect(summary.slices.fused == 3 && summary.slices.undeformed == 1)
    #expect(summary.outputs == 3)
    #expect(abs(summary.seconds - 1.5) < 1e-6)
    #expect(summary.jobs.map(\.job) == [job])
    #expect(summary.jobs.first?.slices == 3)
    let json = try JSONDocument(encoding: summary).text
    #expect(json.contains(#""reason":null"#))
  }

  @Test func `a job with slices missing is not done`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    #expect(throws: LedgerError.self) { try fixture.ledger.finishJob(job.id) }
    #expect(try fixture.ledger.jobState(job.id).state == .running)
  }

  @Test func `a failed job runs again when its time has come, a dead letter never`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    let later = fixture.clock.now.addingTimeInterval(60)
    try fixture.ledger.failJob(job.id, reason: "timeout", sentence: "the worker hung", retryAt: later)
    #expect(try fixture.ledger.runnableJobs().isEmpty)
    fixture.clock.advance(61)
    #expect(try fixture.ledger.runnableJobs().map(\.id) == [job.id])
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    #expect(try fixture.ledger.jobState(job.id).attempts == 2)
    try fixture.ledger.failJob(job.id, reason: "timeout", sentence: "the worker hung", retryAt: nil)
    fixture.clock.advance(1e6)
    #expect(try fixture.ledger.runnableJobs().isEmpty)
    try fixture.ledger.requeueJob(job.id)
    #expect(try fixture.ledger.runnableJobs().first?.attempts == 0)
  }

  @Test func `a job cannot go from done to running`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.finished()
    #expect(throws: LedgerError.self) { try fixture.ledger.startAttempt(job: job, run: run) }
    #expect(try fixture.ledger.jobState(job).state == .done)
  }

  @Test func `what a killed run left running is pending again when the next one begins`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    try fixture.ledger.commitPublished(Fixture.slice(0), job: job.id, attempt: attempt, intent: nil)
    _ = try fixture.ledger.beginRun(command: "run", settings: nil, software: nil)
    #expect(try fixture.ledger.jobState(job.id).state == .pending)
    #expect(try fixture.ledger.publishedSlices(job: job.id) == [0])
    #expect(try fixture.value("SELECT outcome FROM attempts") == "interrupted")
    #expect(try fixture.value("SELECT state FROM runs WHERE id = \(run)") == "interrupted")
  }

  @Test func `a superseded job names the one that stands for it`() throws {
    let fixture = try Fixture()
    let (_, old) = try fixture.finished()
    let (_, new) = try fixture.planned(inputs: "one slice more")
    try fixture.ledger.supersedeJob(old, by: new.id, reason: "late_slices")
    #expect(try fixture.ledger.jobState(old).state == .superseded)
    #expect(try fixture.value("SELECT superseded_by FROM jobs WHERE id = \(old)") == new.id)
  }

  @Test func `a superseded job that is wanted again is done, or pending while slices are missing`() throws {
    let fixture = try Fixture()
    let (_, whole) = try fixture.finished()
    let (_, part) = try fixture.planned(inputs: "other settings")
    #expect(throws: LedgerError.self) { try fixture.ledger.reinstateJob(whole) }
    for job in [whole, part.id] {
      try fixture.ledger.supersedeJob(job, by: nil, reason: "settings")
      try fixture.ledger.reinstateJob(job)
    }
    #expect(try fixture.ledger.jobState(whole).state == .done)
    #expect(try fixture.ledger.jobState(part.id).state == .pending)
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `a change that fails midway leaves nothing behind`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    let events: Int? = try fixture.value("SELECT count(*) FROM events")
    var slice = Fixture.slice(0)
    slice.inputs.append(.init(role: .moving, sopInstanceUID: "9.9.9"))
    #expect(throws: LedgerError.self) {
      try fixture.ledger.commitPublished(slice, job: job.id, attempt: attempt, intent: nil)
    }
    #expect(try fixture.value("SELECT count(*) FROM slices") == 0)
    #expect(try fixture.value("SELECT count(*) FROM events") == events)
  }
}
