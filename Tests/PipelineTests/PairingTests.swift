// Which series are paired, and the reason for each that is not.

import DICOM
import Imaging
import Testing

@testable import Pipeline

@Suite struct PairingTests {
  private func codes(_ result: PairingResult) -> [String] { result.leftOut.map(\.reason.code) }

  @Test func `MR is fixed with CT, PT and NM, and CT is fixed with PT`() throws {
    let result = try pair([
      Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT"), Made(uid: "1.3", modality: "PT"),
    ])
    #expect(result.pairs.map(\.rule.name) == ["CT-MR", "PET-MR", "PET-CT"])
    #expect(result.pairs.map(\.fixed.uid) == ["1.1", "1.1", "1.2"])
    #expect(result.leftOut.isEmpty)
  }

  @Test func `the order of arrival does not matter`() throws {
    let series = [
      Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "MR", slices: 9),
      Made(uid: "1.3", modality: "CT"),
    ]
    let forward = try pair(series)
    let backward = try pair(series.reversed())
    #expect(forward.pairs.map(\.fixed.uid) == ["1.2"])
    #expect(backward.pairs.map(\.fixed.uid) == ["1.2"])
    #expect(codes(forward) == ["not_preferred"])
  }

  @Test func `localizers and single images are left out with a reason`() throws {
    let result = try pair([
      Made(uid: "1.1", modality: "MR", description: "3-plane Localizer"),
      Made(uid: "1.2", modality: "CT", slices: 1),
    ])
    #expect(result.pairs.isEmpty)
    #expect(codes(result) == ["excluded", "too_few_slices"])
  }

  @Test func `a series of two patients is refused`() throws {
    var other = Made(uid: "1.1", modality: "MR")
    other.patient.patientID = "P2"
    let settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    let mixed = Made(uid: "1.1", modality: "MR").instances().prefix(3) + other.instances().suffix(2)
    let result = Pairing(settings).pairs(in: Catalogue(mixed + Made(uid: "1.2", modality: "CT").instances()))
    #expect(result.pairs.isEmpty)
    #expect(codes(result) == ["mixed_patients", "no_partner"])
  }

  @Test func `two patients in one study are never fused`() throws {
    var other = Made(uid: "1.2", modality: "CT")
    other.patient.birthDate = "19700102"
    let result = try pair([Made(uid: "1.1", modality: "MR"), other])
    #expect(result.pairs.isEmpty)
    #expect(result.rejected.map(\.reason.code) == ["patient_conflict"])
    #expect(result.rejected.first?.reason.sentence.contains("Birth Date") == true)
    #expect(result.rejected.first?.reason.sentence.contains("1970") == false)
  }

  @Test func `one Patient ID with two birth dates in two studies is fused in neither`() throws {
    var stranger = Made(uid: "1.5", modality: "CT", study: "1.2.7", frame: "1.2.3.7")
    stranger.patient.birthDate = "19700102"
    let result = try pair([Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT"), stranger])
    #expect(result.pairs.isEmpty)
    #expect(result.rejected.map(\.reason.code) == ["patient_conflict"])
    #expect(result.rejected.first?.reason.sentence.contains("audit conflicts") == true)
    stranger.patient.birthDate = nil
    let unknown = try pair([Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT"), stranger])
    #expect(unknown.pairs.count == 1)
  }

  @Test func `a clash of patients is not hidden behind a preference`() throws {
    var other = Made(uid: "1.3", modality: "CT")
    other.patient.name = "Phantom^Eve"
    other.patient.patientID = "P2"
    let result = try pair([Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT"), other])
    #expect(result.pairs.map(\.moving.uid) == ["1.2"])
    #expect(codes(result) == ["patient_conflict"])
    #expect(result.leftOut.first?.isRejected == true)
  }

  @Test func `the overlap is measured in mm and may be asked for`() throws {
    let mr = Made(uid: "1.1", modality: "MR", slices: 10)
    let ct = Made(uid: "1.2", modality: "CT", slices: 10) { $0.frames[0].position?.z += 21 }
    let result = try pair([mr, ct])
    #expect(result.pairs.first?.overlap?.slices == 3)
    #expect(result.pairs.first?.overlap?.millimetres == 9)
    #expect(
      try pair([mr, ct], "pairing: {minimum_overlap: 10 mm}").rejected.map(\.reason.code) == [
        "too_little_overlap"
      ])
    let apart = Made(uid: "1.2", modality: "CT", slices: 10) { $0.frames[0].position?.x += 20 }
    #expect(try pair([mr, apart]).rejected.map(\.reason.code) == ["no_overlap"])
  }

  @Test func `without a Patient ID nothing is paired`() throws {
    var nobody = Made(uid: "1.2", modality: "CT")
    nobody.patient.patientID = " "
    #expect(try codes(pair([Made(uid: "1.1", modality: "MR"), nobody])).contains("missing_patient_id"))
  }

  @Test func `another frame of reference is registered, refused or trusted, as the settings say`() throws {
    let series = [Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT", frame: "1.2.3.8")]
    #expect(try pair(series).pairs.map(\.transform) == [.rigid])
    #expect(try pair(series).pairs.first?.overlap == nil)
    #expect(
      try pair(series, "alignment: {registration: same-frame}").rejected.map(\.reason.code) == [
        "different_frame_of_reference"
      ])
    let together = [Made(uid: "1.1", modality: "MR"), Made(uid: "1.2", modality: "CT")]
    #expect(try pair(together).pairs.map(\.transform) == [.sameFrame])
    #expect(try pair(together, "alignment: {registration: rigid}").pairs.map(\.transform) == [.rigid])
    #expect(try pair(series, "alignment: {registration: header}").pairs.count == 1)
  }

  @Test func `studies of one patient are paired only when asked, and within the window`() throws {
    let mr = Made(uid: "1.1", modality: "MR")
    let near = Made(uid: "1.2", modality: "CT", study: "1.2.4", date: "20260120")
    let far = Made(uid: "1.2", modality: "CT", study: "1.2.4", date: "20260301")
    #expect(try pair([mr, near]).pairs.isEmpty)
    #expect(try pair([mr, near], "pairing: {scope: patient}").pairs.count == 1)
    #expect(try pair([mr, far], "pairing: {scope: patient}").pairs.isEmpty)
  }

  @Test func `a gap in the stack is a reason, not a pair`() throws {
    let settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    var ct = Made(uid: "1.2", modality: "CT", slices: 9).instances()
    ct.removeSubrange(4...6)
    let result = Pairing(settings).pairs(in: Catalogue(Made(uid: "1.1", modality: "MR").instances() + ct))
    #expect(result.pairs.isEmpty)
    #expect(codes(result).contains("slice_gap"))
  }

  @Test func `no pair crosses conflicting patients in 10,000 random drops`() throws {
    var random = SplitMix64(state: 20_260_101)
    let settings = try ["study", "patient"].map {
      try Settings(
        yaml: """
          pairing: {scope: \($0), window: 9999 d}
          alignment: {registration: header}
          selection: {exclude: [], MR: {exclude: [], prefer: []}, CT: {exclude: [], prefer: []}, PT: {exclude: [], prefer: []}}
          """, file: "/s/p.yaml")
    }
    var paired = 0
    for drop in 0..<10_000 {
      let series = (0..<Int.random(in: 2...4, using: &random)).map { randomSeries($0, &random) }
      let instances = series.flatMap { $0.instances() }
      let identities = Set(instances.map { PatientKey($0.instance) })
      let result = Pairing(settings[drop % 2]).pairs(in: Catalogue(instances))
      paired += result.pairs.count
      for pair in result.pairs {
        let patients = Set((pair.fixed.members + pair.moving.members).map { PatientKey($0.instance) })
        #expect(patients.count == 1 && patients.first?.patientID != nil, "drop \(drop)")
        for other in identities where other.groupingText == patients.first?.groupingText {
          #expect(patients.first?.contradictions(of: other) == [], "drop \(drop)")
        }
      }
    }
    #expect(paired > 500, "the drops must not be so wild that nothing is ever paired")
  }

  private func randomSeries(_ index: Int, _ random: inout SplitMix64) -> Made {
    func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    return Made(
      uid: "1.\(pick([index, index, 7]))", modality: pick(["MR", "CT", "PT"]),
      study: pick(["1.2.3", "1.2.4"]),
      frame: pick(["1.9", "1.8", nil]),
      patient: Patient(
        patientID: pick(["A", "A", "A", "A", "A ", "B", "", nil]),
        issuerOfPatientID: pick([nil, nil, nil, nil, "X"]),
        name: pick(["N", "N", "N", "N", "N", "M", nil]),
        birthDate: pick(["19700101", "19700101", "19700101", "19700101", "19700102"]),
        sex: pick(["F", "F", "F", "F", "M"])),
      slices: 2)
  }
}
