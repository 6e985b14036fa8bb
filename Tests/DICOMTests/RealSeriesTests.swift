// The gate on real series: what is stacked, what is refused, and which values come out. Needs ../shared/data.

import DICOM
import Foundation
import Imaging
import Testing

@Suite struct `Real series` {
  struct Series {
    var instances: [Instance] = []
    var paths: [String: String] = [:]

    func read() throws -> SeriesVolume {
      try SeriesReader.read(try SeriesReader.plan(instances)) { paths[$0] ?? "" }
    }
  }

  private func series(_ name: String) throws -> Series? {
    guard let folder = Laboratory.shared("dicom/\(name)") else { return nil }
    var found = Series()
    for path in Laboratory.files(under: folder) where !path.hasSuffix(".txt") {
      let instance = try InstanceReader.read(path: path)
      found.instances.append(instance)
      found.paths[instance.sopInstanceUID] = path
    }
    return found
  }

  private func refusal(_ name: String) throws -> DICOMError? {
    guard let series = try series(name) else { return nil }
    do throws(DICOMError) {
      _ = try SeriesReader.plan(series.instances)
      Issue.record("\(name) was planned")
      return nil
    } catch { return error }
  }

  @Test func `the ACRIN PET comes out in SUVbw with the published factor`() throws {
    guard let series = try series("ohif-viewer-testdata/ACRIN-042_PT-CT/PT_S001_61081015") else { return }
    let pet = try series.read()
    #expect(pet.unit == "SUVbw")
    let factor = try #require(pet.suvFactor)
    #expect(abs(factor - 4.2111e-4) < 0.00005e-4)
    #expect(pet.volume.grid.slices == 48)
    #expect(Set(pet.sources.map(\.sopInstanceUID)).count == 48)
  }

  @Test func `the ACRIN CT is even, upright and in HU`() throws {
    guard let series = try series("ohif-viewer-testdata/ACRIN-042_PT-CT/CT_S002_94858561") else { return }
    let plan = try SeriesReader.plan(series.instances)
    #expect(plan.unit == "HU")
    #expect(plan.slices.count == 48)
    #expect(abs(plan.spacing - 3.27) < 1e-6)
    #expect(plan.notes.isEmpty)
  }

  @Test func `a head CT tilted by 18.5 degrees keeps its true positions`() throws {
    guard let series = try series("dcm_qa_ct/GE_human_head_variable_tilt") else { return }
    let plan = try SeriesReader.plan(series.instances)
    #expect(plan.slices.count == 28)
    #expect(plan.notes.contains { $0.contains("18.5°") })
    #expect(plan.notes.contains { $0.contains("1.08–7.0 mm") })
    #expect(zip(plan.grid.depths, plan.grid.depths.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func `an oblique MR of 20 slices is read`() throws {
    guard let series = try series("papaya-tests") else { return }
    let volume = try series.read()
    #expect(volume.volume.grid.slices == 20)
    #expect(volume.unit == "arbitrary")
  }

  @Test func `missing slices are named`() throws {
    guard let error = try refusal("ohif-viewer-testdata/DummyMR-FLAIR") else { return }
    #expect(error.reason == .sliceGap)
    #expect(error.detail.contains("instance 3 and instance 5"))
  }

  @Test func `an EPI time series is refused as one`() throws {
    guard let error = try refusal("dcm_qa_nih/mr_0004") else { return }
    #expect(error.reason == .timeSeries)
  }

  @Test func `Siemens mosaics are refused`() throws {
    guard let error = try refusal("dcm_qa_nih/20180918Si/mr_0003") else { return }
    #expect(error.reason == .mosaic)
  }
}
