// Records that contradict one another are found, and nobody's name comes out.

import Testing

@testable import Provenance

@Suite struct ConflictTests {
  @Test func `one patient ID with two birth dates is a conflict, told without identifying anybody`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    var other = Fixture.invented
    other.birthDate = "19510101"
    _ = try fixture.ledger.recordAccepted(
      Fixture.instance("1.3.1", series: "1.3.2", study: "1.3.3", patient: other), run: nil)
    let conflict = try #require(try fixture.ledger.conflicts().first)
    #expect(conflict.kind == .patient && conflict.differing == ["birth date"] && conflict.count == 2)
    #expect(Set(conflict.series) == ["1.2.2", "1.2.3", "1.3.2"])
    let text = try JSONDocument(encoding: conflict).text
    #expect(!text.contains("INV-1") && !text.contains("Invented") && !text.contains("19510101"))
    #expect(try fixture.ledger.conflicts(showPatientIDs: true).first?.subject == "INV-1 (TEST)")
    let patient = try #require(try fixture.ledger.instance(sopInstanceUID: "1.3.1")).patient
    #expect(try fixture.ledger.isAmbiguous(patient: patient))
  }

  @Test func `spelling in capitals, empty components and a missing sex are no conflict`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    let other = PatientRecord(
      patientID: "INV-1", issuer: "TEST", name: "INVENTED^PERSON^^^", birthDate: "19500101", sex: nil)
    _ = try fixture.ledger.recordAccepted(
      Fixture.instance("1.3.1", series: "1.3.2", study: "1.3.3", patient: other), run: nil)
    #expect(try fixture.ledger.conflicts().isEmpty)
  }

  @Test func `the same ID of another issuer is another patient`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    var other = Fixture.invented
    other.issuer = "ELSEWHERE"
    other.name = "Somebody^Else"
    _ = try fixture.ledger.recordAccepted(
      Fixture.instance("1.3.1", series: "1.3.2", study: "1.3.3", patient: other), run: nil)
    #expect(try fixture.ledger.conflicts().isEmpty)
  }

  @Test func `a study in files of two patients is a conflict`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    var other = Fixture.invented
    other.patientID = "INV-2"
    _ = try fixture.ledger.recordAccepted(
      Fixture.instance("1.3.1", series: "1.3.2", patient: other), run: nil)
    #expect(try fixture.ledger.conflicts().map(\.kind) == [.study])
  }

  @Test func `other bytes under a known SOP Instance UID are refused and both digests kept`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    let answer = try fixture.ledger.recordAccepted(
      Fixture.instance("1.2.2.0", sha256: Fixture.digest("other")), run: nil)
    guard case .refused(let reason, let sentence, let kept) = answer else {
      Issue.record("it was not refused")
      return
    }
    #expect(kept?.sha256 == Fixture.digest("1.2.2.0"))
    var file = Fixture.refused(reason, sop: "1.2.2.0")
    file.sentence = sentence
    file.sha256 = Fixture.digest("other")
    try fixture.ledger.recordRejected(file, run: nil)
    let conflict = try #require(try fixture.ledger.conflicts().first)
    #expect(conflict.kind == .sop && conflict.subject == "1.2.2.0")
    #expect(conflict.sha256 == [Fixture.digest("1.2.2.0"), Fixture.digest("other")])
  }

  @Test func `no event names a person, a patient ID or a path of the drop folder`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.ledger.recordRejected(
      Fixture.refused("truncated", path: "inbox/Invented^Person.dcm"), run: nil)
    for event in try fixture.ledger.events(.init(limit: -1)) {
      let text = event.subject + event.payload.text
      #expect(!text.contains("nvented") && !text.contains("INV-1") && !text.contains("19500101"))
      #expect(!text.contains("PERSON"))
    }
  }
}
