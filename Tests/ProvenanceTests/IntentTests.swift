// What a killed process leaves open is listed at the next start with everything needed to finish or drop it.

import Testing

@testable import Provenance

@Suite struct IntentTests {
  @Test func `an intent interrupted before its file was written is open`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.planned()
    let intent = try fixture.ledger.recordPublishIntent(
      job: job.id, index: 0, sopInstanceUID: "2.25.0", part: "a/2.25.0.part", final: "a/2.25.0.dcm")
    let pending = try #require(try fixture.again().pendingIntents().first)
    #expect(pending.id == intent && pending.kind == .publish && pending.state == .open)
    #expect(pending.fromPath == "a/2.25.0.part" && pending.finalPath == "a/2.25.0.dcm")
    #expect(pending.publication == nil && pending.job == job.id && pending.index == 0)
    try fixture.ledger.abandonIntent(intent)
    #expect(try fixture.ledger.pendingIntents().isEmpty)
  }

  @Test func `an intent interrupted after the rename can be committed without fusing again`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    let intent = try fixture.ledger.recordPublishIntent(
      job: job.id, index: 0, sopInstanceUID: "2.25.0", part: "p", final: "f")
    try fixture.ledger.markWritten(Fixture.slice(0), intent: intent)
    let pending = try #require(try fixture.again().pendingIntents().first)
    #expect(pending.state == .written && pending.sha256 == Fixture.digest("out 0"))
    let publication = try #require(pending.publication)
    #expect(publication == Fixture.slice(0))
    try fixture.ledger.commitPublished(publication, job: job.id, attempt: nil, intent: intent)
    #expect(
      try fixture.value("SELECT attempt_id FROM slices") == attempt, "it counts for the interrupted attempt")
    #expect(try fixture.ledger.pendingIntents().isEmpty)
    #expect(try fixture.ledger.publishedSlices(job: job.id) == [0])
  }

  @Test func `a slice is published once only`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    try fixture.ledger.commitPublished(Fixture.slice(0), job: job.id, attempt: attempt, intent: nil)
    #expect(throws: LedgerError.self) {
      try fixture.ledger.commitPublished(Fixture.slice(0), job: job.id, attempt: attempt, intent: nil)
    }
    #expect(try fixture.ledger.outputs().count == 1)
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `a closed intent cannot be closed again`() throws {
    let fixture = try Fixture()
    let intent = try fixture.ledger.recordIntent(
      .store, from: "inbox/x", to: "store/x", sopInstanceUID: "1.2.2.0")
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil, intent: intent)
    #expect(try fixture.ledger.pendingIntents().isEmpty)
    #expect(throws: LedgerError.self) { try fixture.ledger.abandonIntent(intent) }
    #expect(throws: LedgerError.self) {
      try fixture.ledger.recordRejected(Fixture.refused("truncated"), run: nil, intent: intent)
    }
    #expect(try fixture.ledger.inputs().count == 1, "the refused change left nothing behind")
  }
}
