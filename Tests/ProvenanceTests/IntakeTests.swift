// Every file at the door is accounted for, once.

import Testing

@testable import Provenance

@Suite struct IntakeTests {
  @Test func `an accepted instance comes back with its header`() throws {
    let fixture = try Fixture()
    let accepted = Fixture.instance("1.2.2.0")
    guard case .accepted(let id) = try fixture.ledger.recordAccepted(accepted, run: nil) else {
      Issue.record("it was not accepted")
      return
    }
    let stored = try #require(try fixture.ledger.instance(sopInstanceUID: "1.2.2.0"))
    #expect(stored.id == id && stored.sha256 == accepted.sha256 && stored.size == 1234)
    #expect(
      stored.seriesInstanceUID == "1.2.2" && stored.studyInstanceUID == "1.2.1" && stored.modality == "MR")
    #expect(try stored.header.decode([String: Int].self) == ["rows": 4])
    #expect(try fixture.ledger.instances(sha256: accepted.sha256) == [stored])
    #expect(try fixture.ledger.patient(stored.patient) == Fixture.invented)
  }

  @Test func `the same file twice is counted as a duplicate`() throws {
    let fixture = try Fixture()
    let run = try fixture.ledger.beginRun(command: "run", settings: nil, software: nil)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: run)
    guard case .duplicate(let kept) = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: run)
    else {
      Issue.record("it was not a duplicate")
      return
    }
    #expect(kept.sopInstanceUID == "1.2.2.0")
    let counts = try fixture.ledger.summary(run: run).instances
    #expect(counts.accepted == 1 && counts.duplicate == 1)
  }

  @Test func `accepted, duplicate, skipped and rejected add up to the files seen`() throws {
    let fixture = try Fixture()
    let run = try fixture.ledger.beginRun(command: "run", settings: nil, software: nil)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: run)
    try fixture.ledger.recordDuplicate(Fixture.refused("same_bytes", sop: "1.2.2.0"), run: run)
    try fixture.ledger.recordSkipped(Fixture.refused("not_image"), run: run)
    try fixture.ledger.recordRejected(Fixture.refused("truncated"), run: run)
    try fixture.ledger.recordRejected(Fixture.refused("empty_file"), run: run)
    let counts = try fixture.ledger.summary(run: run).instances
    #expect([counts.accepted, counts.duplicate, counts.skipped, counts.rejected] == [1, 1, 1, 2])
    #expect(try fixture.ledger.inputs().count == 5)
    #expect(try fixture.ledger.lastIntake(sha256: Fixture.digest("inbox/x"))?.reason == "empty_file")
  }

  @Test func `a series that turns up in another study is refused and leaves nothing behind`() throws {
    let fixture = try Fixture()
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil)
    let answer = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.1", study: "1.5"), run: nil)
    guard case .refused("series_conflict", _, nil) = answer else {
      Issue.record("it was not refused: \(answer)")
      return
    }
    #expect(try fixture.ledger.studies().map(\.uid) == ["1.2.1"])
  }

  @Test func `the catalogue groups instances by study and series`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    try fixture.ledger.setSeries("1.2.3", state: .rejected, reason: "gap", sentence: "slice 4 is missing")
    let series = try fixture.ledger.series(study: "1.2.1")
    #expect(series.map(\.uid) == ["1.2.2", "1.2.3"])
    #expect(series.map(\.instances.count) == [3, 3])
    #expect(series.map(\.state) == [.accepted, .rejected])
    #expect(series.last?.reason == "gap")
    #expect(try fixture.ledger.failures().cases.map(\.subject) == ["series:1.2.3"])
    try fixture.ledger.setSeries("1.2.3", state: .accepted, reason: nil, sentence: nil)
    #expect(try fixture.ledger.failures().cases.isEmpty)
  }
}
