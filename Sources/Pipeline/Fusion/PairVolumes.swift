// A pair made ready: both volumes in memory, their normalisations, and the way from one grid to the other.

public import DICOM
public import Imaging

/// Everything slices of one pair are made from; immutable, shared by all workers.
public struct PairVolumes: Sendable {
  public let pair: Pair
  public let fixed: SeriesVolume
  public let moving: SeriesVolume
  public let fixedNormalization: AppliedNormalization
  public let movingNormalization: AppliedNormalization
  /// How the moving series is placed, as the ledger keeps it.
  public let registration: AppliedRegistration
  /// Fixed to moving coordinates, mm.
  let transform: RigidTransform
  let fixedMap: IntensityNormalization
  let movingMap: IntensityNormalization
  let fixedResampler: Resampler
  let movingResampler: Resampler
  let side: Int

  /// Reads and prepares both series.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded, `ImagingError` where they cannot be normalised,
  ///   `PairRefusal` where they cannot be registered.
  public init(_ pair: Pair, settings: Settings) throws {
    self.pair = pair
    side = settings.grid.side
    fixed = try Self.read(pair.fixed, pair.fixedPlan)
    moving = try Self.read(pair.moving, pair.movingPlan)
    (fixedMap, fixedNormalization) = try Self.normalization(fixed, pair.fixed, settings)
    (movingMap, movingNormalization) = try Self.normalization(moving, pair.moving, settings)
    let placement = try Placement(pair, fixed: fixed.volume, moving: moving.volume, settings: settings)
    (transform, registration) = (placement.transform, placement.registration)
    let target = Self.workingGrid(fixed.volume.grid, side: side)
    let grid = settings.grid
    fixedResampler = Resampler(
      volume: fixed.volume, onto: target, interpolation: grid.interpolation, background: fixedMap.lower,
      antialias: grid.antialias)
    movingResampler = Resampler(
      volume: moving.volume, onto: target, transform: transform,
      interpolation: grid.interpolation, background: movingMap.lower, antialias: grid.antialias)
  }

  /// The stack of working grids of all slices of the fixed series.
  private static func workingGrid(_ grid: VolumeGrid, side: Int) -> VolumeGrid {
    let planes = (0..<grid.slices).map { grid.planeGrid(slice: $0).squareWorkingGrid(side: side) }
    return VolumeGrid(plane: planes[0], origins: planes.map(\.origin))
  }

  /// Number of slices of the fixed series; one output each.
  public var slices: Int { fixed.volume.grid.slices }

  /// The working grid of one fixed slice.
  public func grid(slice: Int) -> PlaneGrid {
    fixed.volume.grid.planeGrid(slice: slice).squareWorkingGrid(side: side)
  }

  /// Both images of one slice on its working grid, 0…1, and how far the moving one covers it.
  func planes(slice: Int) -> SlicePlanes {
    let grid = grid(slice: slice)
    let fixed = fixedResampler.plane(on: grid)
    let moving = movingResampler.plane(on: grid, transform: transform)
    return SlicePlanes(
      grid: grid, fixed: fixedMap.apply(fixed.plane), moving: movingMap.apply(moving.plane),
      inside: moving.inside,
      insideFraction: moving.insideFraction, movingSlices: moving.contributingSlices)
  }

  static func read(_ series: Series, _ plan: SeriesPlan) throws -> SeriesVolume {
    let paths = Dictionary(series.members.map { ($0.instance.sopInstanceUID, $0.path) }) { first, _ in first }
    // Every UID of the plan is one of the series it was made from.
    return try SeriesReader.read(plan) { paths[$0] ?? "" }
  }

  private static func normalization(
    _ volume: SeriesVolume, _ series: Series, _ settings: Settings
  ) throws -> (IntensityNormalization, AppliedNormalization) {
    guard let chosen = settings.normalization[series.modality] else {
      preconditionFailure("settings are checked to have a normalisation for every modality of a rule")
    }
    let (map, applied) = try Normalizer.normalization(of: volume, modality: series.modality, settings: chosen)
    return (map, applied)
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
