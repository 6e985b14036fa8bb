// From patient coordinates to the indices of a stack of slices – where its voxels are, not what they hold.

internal import CKernels

/// The index coordinates of a stack: column, row and depth along the normal.
///
/// Slices may be uneven and sheared. At depth `d = (1 - w)·d(k) + w·d(k + 1)` the in-plane origin is taken
/// between those of slices k and k + 1 with the same `w`, so that a point keeps its column and row along the
/// line that joins equal pixels of neighbouring slices. Beyond the first and last slice the line goes on.
struct Lattice: Sendable {
  /// Deviation from even spacing, mm, that no sample can show: positions in DICOM are rounded decimals.
  static let evenTolerance = 1e-4
  /// Reach of a single slice of unknown thickness on both sides of it, mm: only its own plane.
  static let unknownHalfThickness = 0.01

  let grid: VolumeGrid
  let depths: [Double]
  /// In-plane position of each slice's first pixel relative to slice 0's, in columns and rows.
  let shifts: [SIMD2<Double>]
  let isEven: Bool
  let halfThickness: Double
  /// Vectors whose scalar product with a displacement (mm) is its length in columns and rows; the dual basis,
  /// exact also where rounded direction cosines are not quite perpendicular.
  let columnAxis: SIMD3<Double>
  let rowAxis: SIMD3<Double>

  init(_ grid: VolumeGrid, sliceThickness: Double?) {
    let (x, y) = (grid.plane.rowDirection, grid.plane.columnDirection)
    let (xx, yy, xy) = (dot(x, x), dot(y, y), dot(x, y))
    let determinant = xx * yy - xy * xy
    let columnAxis = (yy * x - xy * y) / (determinant * grid.plane.columnSpacing)
    let rowAxis = (xx * y - xy * x) / (determinant * grid.plane.rowSpacing)
    self.grid = grid
    self.columnAxis = columnAxis
    self.rowAxis = rowAxis
    depths = grid.depths
    shifts = grid.origins.map {
      let moved = $0 - grid.origins[0]
      return SIMD2(dot(moved, columnAxis), dot(moved, rowAxis))
    }
    halfThickness = (sliceThickness ?? 2 * Self.unknownHalfThickness) / 2
    isEven = Self.isEven(grid.origins)
  }

  private static func isEven(_ origins: [SIMD3<Double>]) -> Bool {
    let last = origins.count - 1
    guard last > 0 else { return true }
    let step = (origins[last] - origins[0]) / Double(last)
    return origins.indices.allSatisfy { k in
      let off = origins[k] - origins[0] - Double(k) * step
      return dot(off, off) <= evenTolerance * evenTolerance
    }
  }

  /// Voxels, in memory order, from a pixel of `target` to that `rows` further down, rounded; 0 where that says nothing.
  func distance(rows: Int, of target: PlaneGrid, through transform: RigidTransform) -> Int {
    let step = transform.rotate(Double(rows) * target.rowSpacing * target.columnDirection)
    let slices = grid.slices, depth = depths[slices - 1] - depths[0]
    let along = slices > 1 && depth > 0 ? dot(step, grid.plane.normal) * Double(slices - 1) / depth : 0
    let (u, v, t) = (dot(step, columnAxis).rounded(), dot(step, rowAxis).rounded(), along.rounded())
    let whole = (t * Double(grid.plane.rows) + v) * Double(grid.plane.columns) + u
    return abs(whole) < Double(Int32.max) ? Int(whole) : 0
  }

  /// The pixels of one row of `target` as this lattice sees them through `transform`.
  func ray(row: Int, of target: PlaneGrid, through transform: RigidTransform) -> fk_ray {
    let start = transform(target.position(column: 0, row: Double(row)))
    let step = transform.rotate(target.columnSpacing * target.rowDirection)
    let from = start - grid.origins[0]
    let normal = grid.plane.normal
    return fk_ray(
      u: dot(from, columnAxis), v: dot(from, rowAxis), depth: dot(start, normal),
      step_u: dot(step, columnAxis),
      step_v: dot(step, rowAxis), step_depth: dot(step, normal))
  }
}
