// Captures of a real PET-CT, with all that real headers hold, before the same judges.

import Foundation
import Imaging
import Testing

@testable import DICOM

@Suite(.enabled(if: Laboratory.hasPython, "needs .venv/bin/python; `make setup` makes it"))
struct RealCaptureTests {
  @Test func `a real CT slice fused with a real PET passes every judge`() throws {
    guard let study = Laboratory.shared("dicom/ohif-viewer-testdata/ACRIN-042_PT-CT") else { return }
    let found = try Laboratory.files(under: study).map { ($0, try InstanceReader.read(path: $0)) }
    let fixed = try plan("CT", found)
    let moving = try plan("PT", found)
    let folder = try Laboratory.scratch()
    defer { try? FileManager.default.removeItem(at: folder) }
    let paths = try [0, 20, fixed.slices.count - 1].map { slice in
      let capture = try capture(
        slice, fixed, moving, Dictionary(found.map { ($1.sopInstanceUID, $0) }) { $1 })
      let path = folder.appending(path: "\(capture.identity.sopInstanceUID).dcm").path
      try capture.write(to: path)
      try SecondaryCaptureCheck.verify(path: path, against: capture)
      return path
    }
    // What the CT itself is criticised for in patient and study is copied, and an unknown side stays unknown.
    let inherited =
      try complaints(
        #require(found.first { $1.modality == "CT" }).0
      ) + ["Warning - is only permitted to be empty when actually unknown"]
    let read = try Laboratory.run("capture_judge.py", paths)
    for (path, verdict) in try JSONDecoder().decode([String: Verdict].self, from: Data(read.utf8)) {
      let own = verdict.dciodvfy?.filter { complaint in !inherited.contains { complaint.hasPrefix($0) } }
      #expect(own == [], "\(path)")
      #expect(verdict.dciodvfy?.contains { $0.hasPrefix("Error") } == false)
      #expect(verdict.dcmdump == [], "\(path)")
      #expect(verdict.SimpleITK?.size.prefix(2) == [256, 256])
    }
    // Its CT refers to a localizer that is not in the study: only what the captures add counts.
    let before = try entities(found.map(\.0))
    let added = try entities(found.map(\.0) + paths).subtracting(before)
    #expect(added.filter { $0.hasPrefix("Error") } == [])
  }

  /// dciodvfy's opinion of a source.
  private func complaints(_ path: String) throws -> [String] {
    let read = try JSONDecoder().decode(
      [String: Verdict].self, from: Data(Laboratory.run("capture_judge.py", [path]).utf8))
    return try #require(read[path]?.dciodvfy)
  }

  private func entities(_ paths: [String]) throws -> Set<Substring> {
    try Set(Laboratory.run("entities.py", paths).split(separator: "\n"))
  }

  private func plan(_ modality: String, _ found: [(String, Instance)]) throws -> SeriesPlan {
    try SeriesReader.plan(found.map(\.1).filter { $0.modality == modality })
  }

  /// Slice `slice` of the fixed series with the moving slices nearest to it.
  private func capture(
    _ slice: Int, _ fixed: SeriesPlan, _ moving: SeriesPlan, _ paths: [String: String]
  ) throws -> SecondaryCapture {
    let grid = fixed.grid.planeGrid(slice: slice).squareWorkingGrid(side: 256)
    let instance = fixed.instances[fixed.slices[slice].instance]
    let depth = fixed.grid.depths[slice]
    let near = moving.grid.depths.enumerated().sorted { abs($0.element - depth) < abs($1.element - depth) }
    let others = near.prefix(2).map { moving.instances[moving.slices[$0.offset].instance] }
    func source(_ instance: Instance, preserved: Bool) throws -> SecondaryCapture.Source {
      let path = try #require(paths[instance.sopInstanceUID])
      return .init(instance, frames: nil, spatialLocationsPreserved: preserved, path: path)
    }
    return SecondaryCapture(
      identity: .init(
        sopInstanceUID: UID.derived(from: ["real", "\(slice)"]),
        seriesInstanceUID: UID.derived(from: ["real"]),
        seriesNumber: 9001, seriesDescription: "Fused CT/PT BSAFusion - NOT FOR PRIMARY DIAGNOSIS",
        instanceNumber: slice + 1, modality: "CT"),
      place: .init(
        grid: grid, sliceThickness: instance.frames[0].sliceThickness,
        frameOfReferenceUID: try #require(instance.frameOfReferenceUID),
        patientPosition: instance.patientPosition, bodyPart: instance.bodyPartExamined),
      pixels: .rgb8((0..<256 * 256 * 3).map { UInt8(truncatingIfNeeded: $0) }),
      dates: .latest(series: fixed.instances + moving.instances, content: [instance] + others),
      fixed: try source(instance, preserved: true),
      moving: try others.map { try source($0, preserved: false) },
      derivation: .init(aligned: true, facts: ["Fuseline 1.2.3"]), product: .init(version: "1.2.3"))
  }
}
