// Volumes and grids made from numbers, for the tests of this folder.

import Foundation

@testable import Imaging

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Unit row and column directions turned by Euler angles.
func orientation(_ angles: SIMD3<Double>) -> (row: SIMD3<Double>, column: SIMD3<Double>) {
  let turn = RigidTransform(rotation: angles)
  return (turn.rotate(SIMD3(1, 0, 0)), turn.rotate(SIMD3(0, 1, 0)))
}

func grid(
  columns: Int, rows: Int, spacing: (column: Double, row: Double), center: SIMD3<Double> = .zero,
  angles: SIMD3<Double> = .zero
) -> PlaneGrid {
  let axes = orientation(angles)
  let corner =
    center - Double(columns - 1) / 2 * spacing.column * axes.row - Double(rows - 1) / 2 * spacing.row
    * axes.column
  return PlaneGrid(
    columns: columns, rows: rows, origin: corner, rowDirection: axes.row, columnDirection: axes.column,
    columnSpacing: spacing.column, rowSpacing: spacing.row)
}

/// Slices at `depths` (mm along the normal from the plane); `shear` moves each by so many mm per mm of depth
/// along the column direction, as a gantry tilt does.
func stack(_ plane: PlaneGrid, depths: [Double], shear: Double = 0) -> VolumeGrid {
  VolumeGrid(
    plane: plane,
    origins: depths.map { plane.origin + $0 * plane.normal + $0 * shear * plane.columnDirection })
}

extension Volume {
  /// Voxels are the values of `field` at their positions.
  init(_ grid: VolumeGrid, _ field: (SIMD3<Double>) -> Double) {
    var voxels: [Float] = []
    voxels.reserveCapacity(grid.slices * grid.plane.rows * grid.plane.columns)
    for slice in 0..<grid.slices {
      let plane = grid.planeGrid(slice: slice)
      for row in 0..<plane.rows {
        for column in 0..<plane.columns {
          voxels.append(Float(field(plane.position(column: Double(column), row: Double(row)))))
        }
      }
    }
    self.init(grid: grid, voxels: voxels)
  }

  /// Independent random voxels in 0…1: every neighbour matters.
  init(noise grid: VolumeGrid, seed: UInt64) {
    var random = SeededGenerator(seed)
    self.init(grid) { _ in Double.random(in: 0...1, using: &random) }
  }
}

/// A smooth random field: waves of 15 mm and longer, amplitude about 1.
func smoothField(seed: UInt64) -> (SIMD3<Double>) -> Double {
  var random = SeededGenerator(seed)
  let waves = (0..<8).map { _ in
    let k = 2 * Double.pi / Double.random(in: 15...80, using: &random)
    let axis = SIMD3<Double>.random(in: -1...1, using: &random)
    return (k * axis / max(dot(axis, axis).squareRoot(), 0.1), Double.random(in: 0...6.28, using: &random))
  }
  return { p in waves.reduce(0) { $0 + sin(dot($1.0, p) + $1.1) } / 4 }
}
