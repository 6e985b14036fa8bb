// The audit's questions and the answers to them.

import Foundation
import Testing

@testable import Provenance

@Suite struct AuditTests {
  @Test func `lineage of an output has the shape the contract gives it`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    let lineage = try #require(try fixture.ledger.lineage("2.25.1"))
    let json = try JSONDocument(encoding: lineage).decode([String: JSONValue].self)
    guard case .object(let output) = json["output"], case .array(let inputs) = json["inputs"],
      case .object(let deformation) = json["deformation"],
      case .object(let normalization) = json["normalization"],
      case .object(let registration) = json["registration"], case .object(let model) = json["model"],
      case .object(let moving) = normalization["moving"], case .object(let software) = json["software"]
    else {
      Issue.record("a part of the lineage is missing: \(json.keys)")
      return
    }
    #expect(output["sop"] == "2.25.1" && output["job"] == .integer(job))
    #expect(output["sha256"] == .string(Fixture.digest("out 1")))
    #expect(output["path"] == "1.2.1/2.25.9/2.25.1.dcm")
    #expect(inputs.count == 3)
    #expect(model["name"] == "ct-mr" && model["sha256"] == .string(Fixture.digest("model")))
    #expect(json["settings"] == .object(["sha256": .string(Fixture.digest("settings"))]))
    #expect(software["blas"] == "SkylakeX" && software["host"] == "node1")
    #expect(moving["unit"] == "HU" && moving["suv_factor"] == .null)
    #expect(registration["kind"] == "same-frame" && registration["matrix"] == .null)
    #expect(deformation["accepted"] == false && deformation["reason"] == "folds")
    #expect(deformation["mean_mm"] == .number(0.5) && deformation["max_mm"] == .number(2.25))
    #expect(json["times"] != nil)
  }

  @Test func `lineage of an input names everything made of it`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    guard case .input(let lineage) = try fixture.ledger.lineage("1.2.3.1") else {
      Issue.record("no lineage of an input")
      return
    }
    #expect(lineage.input.state == .accepted)
    #expect(lineage.outputs.map(\.sop) == ["2.25.0", "2.25.1"])
    #expect(lineage.outputs.allSatisfy { $0.role == "moving" })
    #expect(try fixture.ledger.lineage("9.9") == nil)
  }

  /// A job whose first slice took its deformation from itself and the second, the second from itself and the others.
  private func averaged(_ fixture: Fixture) throws {
    let (run, job) = try fixture.planned()
    let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
    for (index, neighbours) in [(0, [1]), (1, [0, 2])] {
      var slice = Fixture.slice(index)
      slice.neighbours = neighbours
      let intent = try fixture.ledger.recordPublishIntent(
        job: job.id, index: index, sopInstanceUID: slice.output.sopInstanceUID, part: "x.part",
        final: slice.output.path)
      try fixture.ledger.markWritten(slice, intent: intent)
      // As a restart finds it that finishes what an interrupted attempt began.
      let kept = try #require(try fixture.ledger.pendingIntents().first?.publication)
      try fixture.ledger.commitPublished(kept, job: job.id, attempt: attempt, intent: intent)
    }
  }

  @Test func `lineage of an output lists the slices that had a say in its deformation, with their inputs`()
    throws
  {
    let fixture = try Fixture()
    try averaged(fixture)
    guard case .output(let first) = try fixture.ledger.lineage("2.25.0"),
      case .output(let second) = try fixture.ledger.lineage("2.25.1")
    else {
      Issue.record("no lineage of an output")
      return
    }
    #expect(first.neighbours.map(\.slice) == [1] && first.neighbours.map(\.output) == ["2.25.1"])
    #expect(first.neighbours[0].inputs == second.inputs)
    #expect(second.neighbours.map(\.slice) == [0, 2])
    // A slice that is not published yet has a say as well; its inputs are not on record.
    #expect(second.neighbours.map(\.output) == ["2.25.0", nil] && second.neighbours[1].inputs.isEmpty)
    let json = try JSONDocument(encoding: first).decode([String: JSONValue].self)
    guard case .array(let neighbours) = json["neighbours"], case .object(let neighbour) = neighbours.first
    else {
      Issue.record("no neighbours in the JSON")
      return
    }
    #expect(Set(neighbour.keys) == ["slice", "output", "inputs"])
  }

  @Test func `lineage of an input names the outputs it had a say in through a neighbouring slice`() throws {
    let fixture = try Fixture()
    try averaged(fixture)
    // The fixed image of slice 1 is an input of its output alone, and slice 0 took of slice 1's deformation.
    guard case .input(let lineage) = try fixture.ledger.lineage("1.2.2.1") else {
      Issue.record("no lineage of an input")
      return
    }
    #expect(lineage.outputs.map(\.sop) == ["2.25.1"])
    #expect(lineage.neighbourOf.map(\.sop) == ["2.25.0"] && lineage.neighbourOf.map(\.role) == ["fixed"])
    let json = try JSONDocument(encoding: lineage).decode([String: JSONValue].self)
    #expect(json["neighbour_of"] != nil)
    #expect(try fixture.ledger.verify().broken.allSatisfy { $0.what != .event && $0.what != .record })
  }

  @Test func `the neighbours stay on record when a dead letter's slices move to a fresh job`() throws {
    let fixture = try Fixture()
    try averaged(fixture)
    let job = try #require(try fixture.ledger.jobs().first?.job)
    try fixture.ledger.failJob(job, reason: "timeout", sentence: "not done after 3 s", retryAt: nil)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil)
    guard case .output(let output) = try fixture.ledger.lineage("2.25.1") else {
      Issue.record("no lineage of an output")
      return
    }
    #expect(output.output.job > job && output.neighbours.map(\.slice) == [0, 2])
    #expect(output.neighbours.map(\.output) == ["2.25.0", nil])
  }

  @Test(arguments: [("1.2.2", "fixed"), ("1.2.3", "moving"), ("2.25.9", "output"), ("1.2.1", "study")])
  func `lineage of a series or study lists its jobs and outputs`(uid: String, role: String) throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    guard case .group(let lineage) = try fixture.ledger.lineage(uid) else {
      Issue.record("no lineage of a group")
      return
    }
    #expect(lineage.roles == [role] && lineage.jobs.count == 1 && lineage.outputs.count == 3)
  }

  @Test func `lineage of a refused file says so`() throws {
    let fixture = try Fixture()
    try fixture.ledger.recordRejected(Fixture.refused("truncated", sop: "1.2.7"), run: nil)
    guard case .input(let lineage) = try fixture.ledger.lineage("1.2.7") else {
      Issue.record("no lineage of a refused file")
      return
    }
    #expect(
      lineage.input.state == .rejected && lineage.input.reason == "truncated" && lineage.outputs.isEmpty)
  }

  @Test func `filters narrow jobs, inputs and outputs down`() throws {
    let fixture = try Fixture()
    let before = fixture.clock.now
    let (run, _) = try fixture.finished()
    let ledger = fixture.ledger
    let after = fixture.clock.now.addingTimeInterval(1)
    let model = Fixture.digest("model")
    for filter in [
      AuditFilter(), .init(since: before), .init(until: after), .init(patient: "INV-1"),
      .init(study: "1.2.1"),
      .init(modality: "CT"), .init(state: "done"), .init(model: "ct-mr"),
      .init(model: String(model.prefix(12))),
    ] {
      #expect(try ledger.jobs(filter).count == 1, "\(filter)")
      #expect(try ledger.outputs(filter).count == 3, "\(filter)")
    }
    for filter in [
      AuditFilter(since: after), .init(until: before), .init(patient: "INV"), .init(study: "1.2"),
      .init(modality: "PT"), .init(state: "failed"), .init(model: "pet-mr"),
      .init(model: String(model.prefix(5))),
    ] {
      #expect(try ledger.jobs(filter).isEmpty, "\(filter)")
      #expect(try ledger.outputs(filter).isEmpty, "\(filter)")
    }
    #expect(try ledger.inputs(.init(modality: "CT", run: run)).count == 3)
    #expect(try ledger.inputs(.init(study: "1.2.1")).count == 6)
    #expect(try ledger.inputs(.init(patient: "INV-1")).count == 6)
    #expect(try ledger.inputs(.init(patient: "INV-2")).isEmpty)
    #expect(try ledger.inputs(.init(limit: 2, offset: 4)).map(\.sop) == ["1.2.3.0", "1.2.2.0"])
    let refusal = #expect(throws: LedgerError.self) { try ledger.inputs(.init(model: "ct-mr")) }
    #expect(refusal?.reason == .query, "files have no model, and the filter is not ignored")
    #expect(try ledger.inputs(.init(redact: true)).allSatisfy { $0.patient == nil })
  }

  @Test func `a job tells its attempts, slices and how both sides were normalised`() throws {
    let fixture = try Fixture()
    let (run, id) = try fixture.finished()
    let detail = try fixture.ledger.job(id)
    #expect(detail.outputs.map(\.slice) == [0, 1, 2])
    #expect(detail.attempts.map(\.run) == [run] && detail.attempts.first?.outcome == "done")
    #expect(detail.normalization.moving?.text.contains("HU") == true)
    #expect(detail.job.seconds == 1.5)
    #expect(throws: LedgerError.self) { try fixture.ledger.job(99) }
  }

  @Test func `failures count reasons and keep the latest sentence`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    for index in 0..<3 {
      fixture.clock.advance(1)
      try fixture.ledger.recordRejected(Fixture.refused("truncated", path: "inbox/\(index)"), run: run)
    }
    try fixture.ledger.recordSkipped(Fixture.refused("not_image"), run: run)
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    try fixture.ledger.failJob(job.id, reason: "timeout", sentence: "the worker hung", retryAt: nil)
    let failures = try fixture.ledger.failures(.init(limit: 1))
    #expect(failures.cases.count == 1)
    #expect(failures.counts.map(\.reason) == ["truncated", "timeout"])
    #expect(failures.counts.map(\.count) == [3, 1])
    #expect(failures.counts.last?.sentence == "the worker hung")
    #expect(try fixture.ledger.failures(.init(modality: "CT")).counts.map(\.reason) == ["timeout"])
  }

  @Test func `events of a job are found in order`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    let kinds = try fixture.ledger.events(subject: "job:\(job)").map(\.kind)
    #expect(kinds == ["job.opened", "attempt.began", "job.prepared", "job.done"])
    #expect(try fixture.ledger.events(.init(job: job)).count == 7)
    #expect(try fixture.ledger.events(.init(study: "1.2.1")).count == 13)
    #expect(try fixture.ledger.events(.init(patient: "INV-1")).count == 13)
    #expect(try fixture.ledger.events(.init(patient: "INV-2")).isEmpty)
    #expect(try fixture.ledger.events(.init(run: 1)).map(\.kind).last == "run.began")
    #expect(try fixture.ledger.events(.init(run: 1)).count == 19)
    #expect(try fixture.ledger.events(.init(run: 2)).isEmpty)
    #expect(try fixture.ledger.events(.init(state: "slice.published")).count == 3)
    #expect(try fixture.ledger.events(.init(limit: 1)).first?.kind == "run.finished")
  }
}
