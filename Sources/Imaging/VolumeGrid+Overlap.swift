// How much of one stack's field of view another one covers – from grids alone, no voxels.

/// The part of a fixed stack that lies inside a moving one.
public struct Overlap: Sendable, Hashable, Codable {
  /// Slices of the fixed stack that the moving one reaches at all.
  public let slices: Int
  /// Their extent along the fixed normal, each slice counted with the stack's median spacing, mm.
  public let millimetres: Double
  /// Share (0…1) of the fixed field of view inside the moving one.
  public let fraction: Double
}

extension VolumeGrid {
  /// Points looked at along each edge of a slice.
  static let overlapSamples = 12

  /// The overlap with `moving`; `transform` maps positions of this frame to the moving one's.
  ///
  /// Like `Resampler`, it counts a point as inside up to half a pixel, and half the neighbouring spacing, beyond
  /// the outermost centres.
  public func overlap(with moving: VolumeGrid, through transform: RigidTransform = .identity) -> Overlap {
    let reach = LatticeReach(moving)
    let count = Self.overlapSamples
    var inside = 0
    var reached = 0
    for slice in 0..<slices {
      let plane = planeGrid(slice: slice)
      var here = 0
      for index in 0..<count * count {
        let (row, column) = index.quotientAndRemainder(dividingBy: count)
        let point = plane.position(
          column: (Double(column) + 0.5) / Double(count) * Double(plane.columns) - 0.5,
          row: (Double(row) + 0.5) / Double(count) * Double(plane.rows) - 0.5)
        if reach.contains(transform(point)) { here += 1 }
      }
      inside += here
      reached += here > 0 ? 1 : 0
    }
    let depths = depths
    let extent = slices > 1 ? (depths[slices - 1] - depths[0]) / Double(slices - 1) : 0
    return Overlap(
      slices: reached, millimetres: Double(reached) * extent,
      fraction: Double(inside) / Double(slices * count * count))
  }
}

/// Is a point inside a stack's field of view?
private struct LatticeReach {
  let lattice: Lattice
  let margins: (before: Double, after: Double)

  init(_ grid: VolumeGrid) {
    lattice = Lattice(grid, sliceThickness: nil)
    let depths = lattice.depths
    let last = depths.count - 1
    margins =
      last > 0
      ? ((depths[1] - depths[0]) / 2, (depths[last] - depths[last - 1]) / 2)
      : (lattice.halfThickness, lattice.halfThickness)
  }

  func contains(_ point: SIMD3<Double>) -> Bool {
    let depths = lattice.depths
    let depth = dot(point, lattice.grid.plane.normal)
    guard depth >= depths[0] - margins.before, depth <= depths[depths.count - 1] + margins.after else {
      return false
    }
    let shift = shift(at: depth)
    let from = point - lattice.grid.origins[0]
    let (column, row) = (dot(from, lattice.columnAxis) - shift.x, dot(from, lattice.rowAxis) - shift.y)
    return column >= -0.5 && column <= Double(lattice.grid.plane.columns) - 0.5 && row >= -0.5
      && row <= Double(lattice.grid.plane.rows) - 0.5
  }

  /// In-plane origin at a depth: between the two slices around it, or along the line of the outermost two.
  private func shift(at depth: Double) -> SIMD2<Double> {
    let depths = lattice.depths
    guard depths.count > 1 else { return lattice.shifts[0] }
    let above = depths.firstIndex { $0 > depth } ?? depths.count - 1
    let low = min(max(above - 1, 0), depths.count - 2)
    let weight = (depth - depths[low]) / (depths[low + 1] - depths[low])
    return (1 - weight) * lattice.shifts[low] + weight * lattice.shifts[low + 1]
  }
}
