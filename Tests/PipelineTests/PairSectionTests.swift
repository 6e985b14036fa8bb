// Long pairs are sampled section by section: that must show nowhere.

import Foundation
import Imaging
import Testing

@testable import Pipeline

@Suite struct PairSectionTests {
  /// Samples of grey 0…1 from sections differ by rounding of coordinates only.
  private static let tolerance: Float = 1e-5

  private func sample(_ study: String, _ fixed: String, _ moving: String, _ settings: Settings) throws -> Pair
  {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("sample-studies/" + study)
    return try AdHocPair(settings: settings).pair(
      fixed: folder.appendingPathComponent(fixed).path, moving: folder.appendingPathComponent(moving).path)
  }

  private func largestDifference(_ a: Plane, _ b: Plane) -> Float {
    zip(a.pixels, b.pixels).map { abs($0 - $1) }.max() ?? 0
  }

  @Test(arguments: [
    ("ct-mr", "MR_AX_T2_TSE", "CT_HEAD_SOFT", Interpolation.trilinear, 5),
    ("pet-mr", "MR_AX_T1_SE", "PT_FDG_BRAIN", .trilinear, 1),
    ("spect-mr", "MR_AX_T2_TSE", "NM_HMPAO_RECON", .cubicBSpline, 5),
  ])
  func `slices from sections are those from whole volumes`(
    study: String, fixed: String, moving: String, interpolation: Interpolation, length: Int
  ) throws {
    var settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    settings.grid.side = 64
    settings.grid.interpolation = interpolation
    let pair = try sample(study, fixed, moving, settings)
    let whole = try PairVolumes(pair, settings: settings)
    #expect(whole.sections.length == whole.slices)
    let parts = try PairVolumes(pair, settings: settings, sectionLength: length)
    #expect(parts.fixedNormalization == whole.fixedNormalization)
    #expect(parts.movingNormalization == whole.movingNormalization)
    for slice in 0..<whole.slices {
      let (a, b) = (try whole.planes(slice: slice), try parts.planes(slice: slice))
      #expect(largestDifference(a.fixed, b.fixed) < Self.tolerance, "slice \(slice), sections of \(length)")
      #expect(
        largestDifference(a.moving, b.moving) < Self.tolerance, "slice \(slice), sections of \(length)")
      #expect(a.movingSlices == b.movingSlices)
      #expect(a.insideFraction == b.insideFraction)
    }
  }

  @Test func `sections may be asked for in any order`() throws {
    var settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    settings.grid.side = 64
    let pair = try sample("spect-mr", "MR_AX_T2_TSE", "NM_HMPAO_RECON", settings)
    let parts = try PairVolumes(pair, settings: settings, sectionLength: 2)
    let forward = try (0..<parts.slices).map { try parts.planes(slice: $0).moving }
    for slice in (0..<parts.slices).reversed() {
      #expect(try parts.planes(slice: slice).moving == forward[slice])
    }
  }
}
