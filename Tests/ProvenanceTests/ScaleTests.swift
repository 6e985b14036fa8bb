// How the ledger does with a hospital's years in it. Runs only when asked: FUSELINE_LEDGER_SLICES=1000000, in a
// release build; FUSELINE_LEDGER_FILLER adds that many plain events. Prints what it measures.

import Foundation
import Testing

@testable import Provenance

@Suite(.enabled(if: ProcessInfo.processInfo.environment["FUSELINE_LEDGER_SLICES"] != nil))
struct ScaleTests {
  private static func number(_ name: String) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? 0
  }

  private func measure<Result>(_ what: String, _ count: Int? = nil, _ body: () throws -> Result) rethrows
    -> Result
  {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    let elapsed = clock.now - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let rate = count.map { String(format: ", %.0f/s", Double($0) / seconds) } ?? ""
    print(String(format: "%@: %.1f ms%@", what, seconds * 1000, rate))
    return result
  }

  @Test func `questions stay fast with many slices and events`() throws {
    let fixture = try Fixture()
    let slices = Self.number("FUSELINE_LEDGER_SLICES")
    let perJob = 100
    let jobs = max(1, slices / perJob)
    try measure("fill, slices", slices) {
      for job in 0..<jobs { try fixture.ledger.transaction { try fill(fixture, job: job, slices: perJob) } }
    }
    let filler = Self.number("FUSELINE_LEDGER_FILLER")
    try measure("fill, plain events", filler) {
      for _ in stride(from: 0, to: filler, by: 10_000) {
        try fixture.ledger.write { change in
          for index in 0..<10_000 {
            try change.append("filler.event", subject: "job:\(index)", ["run": 1, "reason": "none"])
          }
        }
      }
    }
    try single(fixture, job: jobs)
    try fixture.tamper("PRAGMA wal_checkpoint(TRUNCATE)")
    let bytes = try FileManager.default.attributesOfItem(atPath: fixture.path)[.size] as? Int ?? 0
    print("bytes per slice with all that hangs on it: \((bytes - filler * 400) / slices), file \(bytes)")
    try ask(fixture, job: Int64(jobs / 2 + 1))
    let verdict = try measure("verify") { try fixture.ledger.verify() }
    #expect(verdict.whole)
    print("events \(verdict.events), records \(verdict.records)")
    let events = verdict.events
    _ = try measure("verify, chain only", events) {
      try fixture.ledger.read { db in
        var report = Verification()
        return try Ledger.verifyChain(db, &report)
      }
    }
  }

  /// One job of its own study: as many fixed as moving images, each slice of one fixed and two moving ones.
  private func fill(_ fixture: Fixture, job: Int, slices: Int) throws {
    let ledger = fixture.ledger
    let settings = try ledger.register(settings: "s", sha256: Fixture.digest("settings"))
    let software = try ledger.register(software: .init(version: "1", blas: "b", host: "h", kernels: "k"))
    let model = try ledger.register(
      model: .init(name: "ct-mr", sha256: Fixture.digest("m"), path: "m", parameters: 1))
    let study = "1.2.826.0.1.3680043.8.498.\(job)"
    for index in 0..<slices {
      for (number, modality) in [(1, "MR"), (2, "CT")] {
        _ = try ledger.recordAccepted(
          Fixture.instance(
            "\(study).\(number).\(index)", series: "\(study).\(number)", modality: modality, study: study,
            patient: .init(patientID: "P\(job)")), run: nil)
      }
    }
    let opened = try ledger.openJob(
      .init(
        kind: "CT-MR", fixedSeriesUID: "\(study).1", movingSeriesUID: "\(study).2", inputsSHA256: "\(job)",
        model: model, settings: settings, software: software, outputSeriesUID: "2.25.\(job)",
        plannedSlices: slices), run: nil)
    let attempt = try ledger.startAttempt(job: opened.id, run: nil)
    for index in 0..<slices {
      try ledger.commitPublished(
        publication(study, job, index, slices), job: opened.id, attempt: attempt, intent: nil)
    }
    if job % 50 == 0 {
      try ledger.failJob(opened.id, reason: "timeout", sentence: "the worker hung", retryAt: nil)
    } else {
      try ledger.finishJob(opened.id)
    }
  }

  private func publication(_ study: String, _ job: Int, _ index: Int, _ slices: Int) -> SlicePublication {
    var slice = Fixture.slice(index)
    slice.inputs = [
      .init(role: .fixed, sopInstanceUID: "\(study).1.\(index)"),
      .init(role: .moving, sopInstanceUID: "\(study).2.\(index)"),
      .init(role: .moving, sopInstanceUID: "\(study).2.\((index + 1) % slices)"),
    ]
    slice.output.sopInstanceUID = "2.25.\(job).\(index)"
    slice.output.path = "\(study)/2.25.\(job)/2.25.\(job).\(index).dcm"
    return slice
  }

  /// What one slice costs a run: three commits, each waiting for the disk.
  private func single(_ fixture: Fixture, job: Int) throws {
    try fixture.ledger.transaction { try fill(fixture, job: job, slices: 2) }
    let count = 100
    try measure("intent, written, abandoned: 3 commits with fsync", count) {
      for index in 0..<count {
        let intent = try fixture.ledger.recordPublishIntent(
          job: Int64(job + 1), index: index, sopInstanceUID: "2.25.\(index)", part: "p", final: "f")
        try fixture.ledger.markWritten(Fixture.slice(index), intent: intent)
        try fixture.ledger.abandonIntent(intent)
      }
    }
  }

  private func ask(_ fixture: Fixture, job: Int64) throws {
    let ledger = try Ledger.openReadOnly(path: fixture.path)
    let study = "1.2.826.0.1.3680043.8.498.\(job - 1)"
    _ = try measure("lineage of an output") { try ledger.lineage("2.25.\(job - 1).50") }
    _ = try measure("lineage of an input") { try ledger.lineage("\(study).2.50") }
    _ = try measure("lineage of a study") { try ledger.lineage(study) }
    _ = try measure("jobs, newest 1000") { try ledger.jobs() }
    _ = try measure("jobs, failed") { try ledger.jobs(.init(state: "failed")) }
    _ = try measure("jobs, by model") { try ledger.jobs(.init(model: "ct-mr", limit: 100)) }
    _ = try measure("jobs, by patient") { try ledger.jobs(.init(patient: "P\(job)")) }
    _ = try measure("jobs, since") { try ledger.jobs(.init(since: fixture.clock.now)) }
    _ = try measure("job") { try ledger.job(job) }
    _ = try measure("outputs, newest 1000") { try ledger.outputs() }
    _ = try measure("outputs, by study") { try ledger.outputs(.init(study: study)) }
    _ = try measure("inputs, newest 1000") { try ledger.inputs() }
    _ = try measure("inputs, by study") { try ledger.inputs(.init(study: study)) }
    _ = try measure("failures") { try ledger.failures() }
    _ = try measure("failures, since") { try ledger.failures(.init(since: fixture.clock.now)) }
    _ = try measure("conflicts") { try ledger.conflicts() }
    _ = try measure("events of a job") { try ledger.events(.init(job: job)) }
    _ = try measure("events, newest 1000") { try ledger.events() }
  }
}
