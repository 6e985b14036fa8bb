// A pair made ready: normalisations, the way from one grid to the other, and voxels as they are wanted.

import DICOM
public import Imaging
import Registration

/// Everything slices of one pair are made from; shared by all workers.
public struct PairVolumes: Sendable {
  public let pair: Pair
  public let fixed: PlannedSeries
  public let moving: PlannedSeries
  public let fixedNormalization: AppliedNormalization
  public let movingNormalization: AppliedNormalization
  /// How the moving series is placed, as the ledger keeps it.
  public let registration: AppliedRegistration
  /// Fixed to moving coordinates, mm.
  let transform: RigidTransform
  let fixedMap: IntensityNormalization
  let movingMap: IntensityNormalization
  let sections: PairSections
  let side: Int

  /// Prepares both series. Short ones are read here and stay in memory; of long ones the voxels are read here only
  /// where normalisation or registration asks for them, one series after the other.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded, `ImagingError` where they cannot be normalised,
  ///   `PairRefusal` where they cannot be registered.
  public init(_ pair: Pair, settings: Settings) throws {
    try self.init(pair, settings: settings, sectionLength: nil)
  }

  /// - Parameter sectionLength: fixed slices in memory at a time; nil leaves it to the size of the study.
  init(_ pair: Pair, settings: Settings, sectionLength: Int?) throws {
    self.pair = pair
    side = settings.grid.side
    let fixed = PlannedSeries(pair.fixed, pair.fixedPlan)
    let moving = PlannedSeries(pair.moving, pair.movingPlan)
    let length =
      sectionLength
      ?? SectionReader.length(
        fixed: fixed, moving: moving, workers: settings.processing.effectiveWorkers)
    let needs = PreparedSeries.Needs(
      pyramid: pair.transform.isRigid, volume: length >= fixed.grid.slices)
    var first = try PreparedSeries(fixed, "fixed", needs, settings)
    var second = try PreparedSeries(moving, "moving", needs, settings)
    let placement = try Placement(
      pair, pyramids: first.pyramid.flatMap { one in second.pyramid.map { (one, $0) } }, settings: settings)
    let reader = SectionReader(
      fixed: fixed, moving: moving, transform: placement.transform, grid: settings.grid,
      background: (first.map.lower, second.map.lower))
    var whole: PairSection?
    if let one = first.takeVolume(), let two = second.takeVolume() {
      whole = reader.section(fixed: consume one, moving: consume two)
    }
    self.fixed = fixed
    self.moving = moving
    (fixedMap, fixedNormalization) = (first.map, first.applied)
    (movingMap, movingNormalization) = (second.map, second.applied)
    (transform, registration) = (placement.transform, placement.registration)
    sections = PairSections(reader, length: length, whole: whole)
  }

  /// Number of slices of the fixed series; one output each.
  public var slices: Int { fixed.grid.slices }

  /// The working grid of one fixed slice.
  public func grid(slice: Int) -> PlaneGrid {
    fixed.grid.planeGrid(slice: slice).squareWorkingGrid(side: side)
  }

  /// Both images of one slice on its working grid, 0…1, and how far the moving one covers it.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded.
  func planes(slice: Int) throws -> SlicePlanes {
    let grid = grid(slice: slice)
    let section = try sections.section(of: slice)
    let fixed = section.fixed.plane(on: grid)
    let moving = section.moving.plane(on: grid, transform: transform)
    return SlicePlanes(
      grid: grid, fixed: fixedMap.apply(fixed.plane), moving: movingMap.apply(moving.plane),
      inside: moving.inside, insideFraction: moving.insideFraction,
      movingSlices: moving.contributingSlices.map { $0 + section.movingStart })
  }

  /// Whether the moving series has data anywhere on a slice, from a coarse look.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded.
  func covers(slice: Int) throws -> Bool {
    let coarse = fixed.grid.planeGrid(slice: slice).squareWorkingGrid(side: Self.overlapSamples)
    return try sections.section(of: slice).moving.plane(on: coarse, transform: transform).insideFraction > 0
  }

  /// Samples along each edge of a slice when only asking whether anything overlaps.
  private static let overlapSamples = 32
}

/// What is taken from the voxels of one series before its slices are sampled.
private struct PreparedSeries {
  struct Needs {
    /// For registration.
    let pyramid: Bool
    /// To be kept, all of it.
    let volume: Bool
  }
  let map: IntensityNormalization
  let applied: AppliedNormalization
  let pyramid: Pyramid?
  private var volume: Volume?

  init(_ series: PlannedSeries, _ role: String, _ needs: Needs, _ settings: Settings) throws {
    guard let chosen = settings.normalization[series.plan.modality] else {
      preconditionFailure("settings are checked to have a normalisation for every modality of a rule")
    }
    var held: Volume?
    func voxels() throws -> Volume {
      if let held { return held }
      let volume = try series.read()
      held = volume
      return volume
    }
    (map, applied) = try Normalizer.normalization(of: series.plan, settings: chosen, voxels: voxels)
    pyramid =
      needs.pyramid ? try FoundRegistration.pyramid(voxels(), "\(role) \(series.plan.modality)") : nil
    volume = needs.volume ? try voxels() : nil
    // What cannot be decoded refuses the pair here, before any of its slices is published.
    if held == nil { try series.check() }
  }

  /// Gives the voxels away, so that whoever gets them may write over them.
  mutating func takeVolume() -> Volume? {
    defer { volume = nil }
    return volume
  }
}

/// The input of the network for one slice.
struct SlicePlanes: Sendable {
  let grid: PlaneGrid
  /// 0…1, on `grid`.
  let fixed: Plane
  /// 0…1, on `grid`; 0 outside the moving series.
  let moving: Plane
  /// Row-major: does the moving series cover the pixel?
  let inside: [Bool]
  let insideFraction: Double
  /// Indices of the moving slices any pixel was interpolated from.
  let movingSlices: [Int]
}
