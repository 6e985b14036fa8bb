// Which of several series is taken under the default configuration and under an operator's, and the reason given.

import DICOM
import Testing

@testable import Pipeline

@Suite struct SelectionTests {
  private let ct = Made(uid: "1.9", modality: "CT", number: 9)

  private func reason(_ uid: String, _ result: PairingResult) -> Refusal? {
    result.leftOut.first { $0.series.uid == uid }?.reason
  }

  @Test func `the volumetric MR is taken before the thick one, and the reason says so`() throws {
    let thick = Made(uid: "1.1", modality: "MR", slices: 30, spacing: 5) { $0.mr?.acquisitionType = "2D" }
    let thin = Made(uid: "1.2", modality: "MR", number: 7, slices: 20, spacing: 1) {
      $0.mr?.acquisitionType = "3D"
    }
    let result = try pair([thick, thin, ct])
    #expect(result.pairs.map(\.fixed.uid) == ["1.2"])
    #expect(reason("1.1", result)?.code == "not_preferred")
    #expect(reason("1.1", result)?.sentence.contains("number 7, is preferred: it is volumetric") == true)
  }

  @Test func `MR that is not anatomical is left out`() throws {
    let cases: [(code: String, change: @Sendable (inout Instance) -> Void)] = [
      ("derived", { $0.imageType = ["DERIVED", "SECONDARY", "MPR"] }),
      ("echo_planar", { $0.mr?.scanningSequence = ["EP"] }),
      ("echo_planar", { $0.mr?.echoPlanarPulseSequence = "YES" }),
      ("excluded", { $0.seriesDescription = "3D TOF neck" }),
      ("excluded", { $0.protocolName = "SURVEY" }),
      ("excluded", { $0.imageType = ["ORIGINAL", "PRIMARY", "MPR", "MOSAIC"] }),
    ]
    for (code, change) in cases {
      let result = try pair([Made(uid: "1.1", modality: "MR", change: change), ct])
      #expect(result.pairs.isEmpty)
      #expect(reason("1.1", result)?.code == code)
    }
  }

  @Test func `PET without attenuation correction is never taken`() throws {
    func pet(_ uid: String, _ corrected: [String], _ slices: Int) -> Made {
      Made(uid: uid, modality: "PT", slices: slices) {
        var header = PETHeader()
        header.units = "BQML"
        header.correctedImage = corrected
        $0.pet = header
      }
    }
    let both = try pair([ct, pet("1.1", ["DECY", "RAN"], 9), pet("1.2", ["DECY", "ATTN"], 5)])
    #expect(both.pairs.map(\.moving.uid) == ["1.2"])
    #expect(reason("1.1", both)?.code == "not_attenuation_corrected")
    let alone = try pair([ct, pet("1.1", ["DECY", "RAN"], 9)])
    #expect(alone.pairs.isEmpty)
  }

  @Test(arguments: [
    ("H31s", "H70h"), ("STANDARD", "BONEPLUS"), ("Hr40f\\3", "Hr60f\\3"), ("FC26", "FC30"), ("UB", "YA"),
    ("J30s", "B60f"),
  ])
  func `the soft kernel is taken before the sharp one`(_ soft: String, _ sharp: String) throws {
    let mr = Made(uid: "1.1", modality: "MR")
    let a = Made(uid: "1.2", modality: "CT", number: 9) { $0.convolutionKernel = soft }
    let b = Made(uid: "1.3", modality: "CT", number: 1, slices: 30, spacing: 0.5) {
      $0.convolutionKernel = sharp
    }
    let result = try pair([mr, a, b])
    #expect(result.pairs.map(\.moving.uid) == ["1.2"])
    #expect(reason("1.3", result)?.sentence.contains("kernel like") == true)
  }

  @Test func `of two soft CTs of the head the thin one is taken, and the head before the neck`() throws {
    let mr = Made(uid: "1.1", modality: "MR")
    func ct(_ uid: String, _ part: String, _ spacing: Double) -> Made {
      Made(uid: uid, modality: "CT", slices: 6, spacing: spacing) { $0.bodyPartExamined = part }
    }
    let result = try pair([mr, ct("1.2", "HEAD", 5), ct("1.3", "HEAD", 1), ct("1.4", "NECK", 0.5)])
    #expect(result.pairs.map(\.moving.uid) == ["1.3"])
    #expect(reason("1.2", result)?.sentence.contains("its slices are closer") == true)
    #expect(reason("1.4", result)?.sentence.contains("text like") == true)
  }

  @Test func `an operator's conditions and preferences replace the default's`() throws {
    let series = [
      Made(uid: "1.1", modality: "MR", description: "T1 MPRAGE", slices: 9),
      Made(uid: "1.2", modality: "MR", description: "T2 TSE", slices: 5), ct,
    ]
    #expect(try pair(series).pairs.map(\.fixed.uid) == ["1.1"])
    let rule = "{name: A, fixed: {modality: MR, description: 'T2'}, moving: {modality: CT}, model: ct-mr}"
    #expect(try pair(series, "pairing: {rules: [\(rule)]}").pairs.map(\.fixed.uid) == ["1.2"])
    let prefer = "selection: {MR: {prefer: [{text: 'T2'}, most_slices]}}"
    #expect(try pair(series, prefer).pairs.map(\.fixed.uid) == ["1.2"])
    let exclude = "selection: {MR: {exclude: [{slices: '>= 9'}]}}"
    #expect(try pair(series, exclude).pairs.map(\.fixed.uid) == ["1.2"])
    let nothing = "{name: A, fixed: {modality: MR, contrast: true}, moving: {modality: CT}, model: ct-mr}"
    let none = try pair(series, "pairing: {rules: [\(nothing)]}")
    #expect(none.pairs.isEmpty)
    #expect(reason("1.1", none)?.code == "criteria_not_met")
  }

  @Test func `a tie ends with the lowest number, then the lowest UID`() throws {
    let same = [Made(uid: "1.3", modality: "MR", number: 4), Made(uid: "1.1", modality: "MR", number: 5), ct]
    #expect(try pair(same).pairs.map(\.fixed.uid) == ["1.3"])
    let twins = [Made(uid: "1.3", modality: "MR"), Made(uid: "1.1", modality: "MR"), ct]
    let result = try pair(twins)
    #expect(result.pairs.map(\.fixed.uid) == ["1.1"])
    #expect(reason("1.3", result)?.sentence.contains("nothing tells them apart") == true)
  }

  @Test func `the series that shares the frame of reference goes before the one that is preferred`() throws {
    let result = try pair([
      Made(uid: "1.1", modality: "MR", slices: 20), Made(uid: "1.2", modality: "MR", slices: 5),
      Made(uid: "1.3", modality: "MR", frame: "1.8", slices: 40), ct,
    ])
    #expect(result.pairs.map(\.fixed.uid) == ["1.1"])
    #expect(reason("1.3", result)?.sentence.contains("shares the study or frame of reference") == true)
  }

  @Test(arguments: [
    ("selection: {MR: {exclude: [{derivd: true}]}}", "selection.MR.exclude[0].derivd"),
    ("selection: {MR: {exclude: [{derived: maybe}]}}", "selection.MR.exclude[0].derived"),
    ("selection: {MR: {exclude: ['(']}}", "selection.MR.exclude[0]"),
    ("selection: {MR: {exclude: [{}]}}", "selection.MR.exclude[0]"),
    ("selection: {CT: {prefer: [best]}}", "selection.CT.prefer[0]"),
    ("selection: {CT: {prefer: [{spacing: 2}]}}", "selection.CT.prefer[0].spacing"),
    ("selection: {CT: {prefer: [{slices: '>= x'}]}}", "selection.CT.prefer[0].slices"),
    ("selection: {US: {prefer: []}}", "selection.US"),
    ("pairing: {minimum_overlap: 3}", "pairing.minimum_overlap"),
  ])
  func `a mistake in a rule is refused at its place`(_ yaml: String, _ key: String) {
    #expect {
      _ = try Settings(yaml: yaml, file: "/site/pipeline.yaml")
    } throws: {
      ($0 as? ConfigurationError)?.key == key
    }
  }
}
