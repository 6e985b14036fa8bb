// Some neighbouring slices of a pair, ready to be sampled: so much of both series is in memory at a time, however long
// the study is.

import DICOM
import Imaging

/// Slices of the fixed series and those of the moving one that reach them.
struct PairSection: Sendable {
  let fixed: Resampler
  let moving: Resampler
  /// Index in the series of the first moving slice.
  let movingStart: Int
}

/// Reads sections, each from as many slices as its samples depend on.
struct SectionReader: Sendable {
  /// Pairs of up to this many bytes are one section.
  static let wholeBytes = 64 << 20
  /// A section is as long as this leaves its longer series, bytes.
  static let sectionBytes = 16 << 20
  /// Fewer slices would read the neighbours of a section more often than its own.
  static let leastLength = 16
  /// Slices beyond those that samples lie between: what is inside depends on the spacing beyond.
  private static let margin = 2
  /// A cubic spline depends on all slices of a stack, by (2 − √3)ⁿ on the n-th neighbour: below 10⁻⁹ here.
  private static let splineMargin = 16

  let fixed: PlannedSeries
  let moving: PlannedSeries
  /// Fixed to moving coordinates, mm.
  let transform: RigidTransform
  let grid: GridSettings
  let background: (fixed: Float, moving: Float)
  private let smoothing: (fixed: Antialiasing, moving: Antialiasing)

  init(
    fixed: PlannedSeries, moving: PlannedSeries, transform: RigidTransform, grid: GridSettings,
    background: (fixed: Float, moving: Float)
  ) {
    self.fixed = fixed
    self.moving = moving
    self.transform = transform
    self.grid = grid
    self.background = background
    let planes = (0..<fixed.grid.slices).map { index in
      fixed.grid.planeGrid(slice: index).squareWorkingGrid(side: grid.side)
    }
    let target = VolumeGrid(plane: planes[0], origins: planes.map(\.origin))
    smoothing =
      grid.antialias
      ? (
        Antialiasing(from: fixed.grid, to: target),
        Antialiasing(from: moving.grid, to: target, transform: transform)
      ) : (.none, .none)
  }

  /// Slices of a section: all where both series are small, else no more than memory and workers need.
  static func length(fixed: PlannedSeries, moving: PlannedSeries, workers: Int) -> Int {
    let isWhole =
      fixed.bytes + moving.bytes <= wholeBytes || fixed.plan.isTurnedRound || moving.plan.isTurnedRound
    guard !isWhole else { return fixed.grid.slices }
    return max(leastLength, 2 * workers, sectionBytes / max(fixed.sliceBytes, moving.sliceBytes))
  }

  /// - Parameter slices: of the fixed series.
  /// - Throws: `DICOMError` where pixels cannot be decoded.
  func read(_ slices: Range<Int>) throws(DICOMError) -> PairSection {
    // One neighbour on each side keeps a section from being a single slice, which has no depth.
    let wider = max(0, slices.lowerBound - 1)..<min(fixed.grid.slices, slices.upperBound + 1)
    let reached = movingSlices(for: slices)
    return section(
      fixed: try fixed.read(wider), moving: try moving.read(reached), movingStart: reached.lowerBound)
  }

  /// A section of volumes that are in memory already.
  func section(fixed: consuming Volume, moving: consuming Volume, movingStart: Int = 0) -> PairSection {
    PairSection(
      fixed: Resampler(
        volume: consume fixed, interpolation: grid.interpolation, background: background.fixed,
        antialiasing: smoothing.fixed),
      moving: Resampler(
        volume: consume moving, interpolation: grid.interpolation, background: background.moving,
        antialiasing: smoothing.moving),
      movingStart: movingStart)
  }

  /// The moving slices that samples of some fixed slices depend on; never none.
  func movingSlices(for slices: Range<Int>) -> Range<Int> {
    let depths = moving.grid.depths
    let last = depths.count - 1
    let wanted = slices.flatMap(cornerDepths)
    let (least, most) = (wanted.min() ?? 0, wanted.max() ?? 0)
    let below = max(0, (depths.firstIndex { $0 > least } ?? last) - 1)
    let above = depths.firstIndex { $0 >= most } ?? last
    let reach = smoothing.moving.sliceReach
    let margin = grid.interpolation == .cubicBSpline ? Self.splineMargin : Self.margin
    let first = depths.firstIndex { $0 >= depths[below] - reach } ?? below
    let end = depths.lastIndex { $0 <= depths[above] + reach } ?? above
    return max(0, first - margin)..<min(last, end + margin) + 1
  }

  /// Depths, mm along the moving normal, of the corners of one fixed slice's working grid.
  private func cornerDepths(slice: Int) -> [Double] {
    let plane = fixed.grid.planeGrid(slice: slice).squareWorkingGrid(side: grid.side)
    let (right, bottom) = (Double(plane.columns - 1), Double(plane.rows - 1))
    return [(0, 0), (right, 0), (0, bottom), (right, bottom)].map { column, row in
      dot(transform(plane.position(column: column, row: row)), moving.grid.plane.normal)
    }
  }
}
