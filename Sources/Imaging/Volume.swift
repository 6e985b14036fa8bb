// A stack of parallel planes in the patient's coordinates, with its voxels.

/// Where the voxels of a stack are: one in-plane grid and the origin of every slice.
///
/// Slices are parallel but may be unevenly spaced or sheared (gantry tilt): only their origins differ.
public struct VolumeGrid: Sendable, Hashable, Codable {
  /// In-plane grid; its `origin` is that of slice 0.
  public let plane: PlaneGrid
  /// Image Position (Patient) of each slice, mm, strictly increasing along `plane.normal`.
  public let origins: [SIMD3<Double>]

  public init(plane: PlaneGrid, origins: [SIMD3<Double>]) {
    precondition(!origins.isEmpty, "a stack has at least one slice")
    var first = plane
    first.origin = origins[0]
    self.plane = first
    self.origins = origins
  }

  public var slices: Int { origins.count }

  /// The grid of one slice.
  public func planeGrid(slice: Int) -> PlaneGrid {
    var grid = plane
    grid.origin = origins[slice]
    return grid
  }

  /// Depth of each slice along the normal, mm.
  public var depths: [Double] { origins.map { dot($0, plane.normal) } }
}

/// Voxels on a `VolumeGrid`, axis order `[slice][row][column]`, in the unit of the series (HU, Bq/ml, …).
public struct Volume: Sendable {
  public let grid: VolumeGrid
  public let voxels: [Float]

  public init(grid: VolumeGrid, voxels: [Float]) {
    precondition(
      voxels.count == grid.slices * grid.plane.rows * grid.plane.columns, "voxels fill the grid exactly")
    self.grid = grid
    self.voxels = voxels
  }

  /// The pixels of one slice.
  public func plane(slice: Int) -> Plane {
    let size = grid.plane.columns * grid.plane.rows
    return Plane(
      columns: grid.plane.columns, rows: grid.plane.rows,
      pixels: Array(voxels[slice * size..<(slice + 1) * size]))
  }
}
