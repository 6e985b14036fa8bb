// From series values to 0…1: each rule on values with a known answer, and the refusal of empty contrast.

import Foundation
import Testing

@testable import Imaging

private func volume(_ voxels: [Float]) -> Volume {
  Volume(grid: stack(grid(columns: voxels.count, rows: 1, spacing: (1, 1)), depths: [0]), voxels: voxels)
}

private func line(_ pixels: [Float]) -> Plane { Plane(columns: pixels.count, rows: 1, pixels: pixels) }

@Suite struct IntensityNormalizationTests {
  @Test func `the brain window sends 0 HU to 0, 40 to a half and 80 to 1`() throws {
    let window = try IntensityNormalization.window(center: 40, width: 80, unit: "HU")
    #expect(window.apply(line([-1000, 0, 40, 80, 3000])).pixels == [0, 0, 0.5, 1, 1])
    #expect(window.method == .window && window.lower == 0 && window.upper == 80 && window.unit == "HU")
  }

  @Test func `values that are not numbers become 0`() throws {
    let range = try IntensityNormalization.suvRange(lower: -1, upper: 10)
    #expect(range.apply(line([.nan, .infinity, -.infinity, 10, 4.5])).pixels == [0, 0, 0, 1, 0.5])
  }

  @Test func `percentiles of 0 to 1000 are their tenfold`() throws {
    let found = try IntensityNormalization.percentiles(
      of: volume((0...1000).map(Float.init).shuffled() + [.nan, .infinity]), low: 1, high: 99.5,
      unit: "counts",
      ignoringBackground: false)
    #expect(found.lower == 10 && found.upper == 995)
    #expect(found.percentiles == [1, 99.5] && found.backgroundThreshold == nil)
  }

  @Test func `negative values and zeros of both signs keep their order`() throws {
    let found = try IntensityNormalization.percentiles(
      of: volume([3, -0.0, -5, 0, -2.5, 0, 1e-30, -1e-30, 4]), low: 0, high: 50, unit: "arbitrary",
      ignoringBackground: false)
    #expect(found.lower == -5 && found.upper == 0)
  }

  @Test func `the air around the head does not move MR percentiles`() throws {
    var random = SeededGenerator(1)
    let head = (0..<5000).map { _ in Float.random(in: 300...900, using: &random) }
    let limits = try [500, 5000, 15000].map { count in
      let air = (0..<count).map { _ in Float.random(in: 0...25, using: &random) }
      return try IntensityNormalization.percentiles(
        of: volume(air + head), low: 1, high: 99, unit: "arbitrary", ignoringBackground: true)
    }
    for found in limits {
      #expect(found.lower == limits[0].lower && found.upper == limits[0].upper)
      #expect(found.lower >= 300 && found.lower < 310 && found.upper > 890)
      #expect((found.backgroundThreshold ?? 0) > 25 && (found.backgroundThreshold ?? 0) < 300)
    }
  }

  @Test(arguments: [
    ([Float](repeating: 7, count: 50), ImagingError.Reason.noContrast),
    ([Float](repeating: .nan, count: 50), .noFiniteValues),
    ([Float](repeating: 0, count: 999) + [1], .noContrast),
    ([], .noFiniteValues),
  ])
  func `a volume without contrast is refused with a sentence`(voxels: [Float], reason: ImagingError.Reason) {
    for ignoring in [false, true] {
      let error = #expect(throws: ImagingError.self) {
        try IntensityNormalization.percentiles(
          of: volume(voxels), low: 1, high: 99, unit: "arbitrary", ignoringBackground: ignoring)
      }
      #expect(error?.reason == reason)
      #expect((error?.description.count ?? 0) > 40)
    }
  }

  @Test func `limits out of order are refused`() {
    let reasons = [
      #expect(throws: ImagingError.self) {
        try IntensityNormalization.window(center: 40, width: 0, unit: "HU")
      },
      #expect(throws: ImagingError.self) {
        try IntensityNormalization.window(center: .nan, width: 1, unit: "HU")
      },
      #expect(throws: ImagingError.self) { try IntensityNormalization.suvRange(lower: 5, upper: 5) },
      #expect(throws: ImagingError.self) {
        try IntensityNormalization.percentiles(
          of: volume([1, 2]), low: 60, high: 40, unit: "counts", ignoringBackground: false)
      },
      #expect(throws: ImagingError.self) {
        try IntensityNormalization.percentiles(
          of: volume([1, 2]), low: 0, high: 101, unit: "counts", ignoringBackground: false)
      },
    ].map { $0?.reason }
    #expect(reasons == [.badLimits, .badLimits, .badLimits, .badLimits, .badLimits])
  }

  @Test func `coding keeps everything`() throws {
    let found = try IntensityNormalization.percentiles(
      of: volume((0...100).map(Float.init)), low: 2, high: 98, unit: "counts", ignoringBackground: true)
    let again = try JSONDecoder().decode(
      IntensityNormalization.self, from: JSONEncoder().encode(found))
    #expect(again == found)
  }

  @Test func `a noise floor raises the lower limit to a share of the upper one, and never lowers it`() throws
  {
    let range = try IntensityNormalization.suvRange(lower: 0, upper: 10)
    #expect(try range.raised(to: 0.02).lower == 0.2)
    #expect(try range.raised(to: 0.02).upper == 10)
    let high = try IntensityNormalization.suvRange(lower: 1, upper: 10)
    #expect(try high.raised(to: 0.02) == high)
    let negative = try IntensityNormalization.window(center: -100, width: 20, unit: "HU")
    #expect(try negative.raised(to: 0.5) == negative)
  }
}
