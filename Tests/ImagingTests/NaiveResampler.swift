// The resampler once more, as plainly as it can be written and in double precision: the reference of the kernels.

import Foundation

@testable import Imaging

struct NaiveResampler {
  let volume: Volume
  let interpolation: Interpolation
  var background: Float = -1
  var halfThickness = 0.01

  /// Value, or nil outside.
  func value(at point: SIMD3<Double>) -> Double? {
    guard let index = index(of: point) else { return nil }
    let plane = volume.grid.plane
    guard let linear = trilinear(index) else { return nil }
    if interpolation == .trilinear { return linear }
    let depths = volume.grid.slices == 1 ? [0] : volume.grid.depths
    let depth =
      volume.grid.slices == 1
      ? 0 : dot(point, plane.normal)
    return spline(
      depths, depth,
      (0..<volume.grid.slices).map { slice in
        spline(
          (0..<plane.rows).map(Double.init), index.y,
          (0..<plane.rows).map { row in
            spline(
              (0..<plane.columns).map(Double.init), index.x,
              (0..<plane.columns).map { voxel(slice, row, $0) })
          })
      })
  }

  func voxel(_ slice: Int, _ row: Int, _ column: Int) -> Double {
    let plane = volume.grid.plane
    return Double(volume.voxels[(slice * plane.rows + row) * plane.columns + column])
  }

  /// Column, row, slice.
  private func index(of point: SIMD3<Double>) -> SIMD3<Double>? {
    let g = volume.grid
    let depth = dot(point, g.plane.normal)
    let depths = g.depths
    var origin = g.origins[0]
    var t = 0.0
    if g.slices == 1 {
      guard abs(depth - depths[0]) <= halfThickness else { return nil }
    } else {
      var k = 0
      while k < g.slices - 2, depth >= depths[k + 1] { k += 1 }
      let w = (depth - depths[k]) / (depths[k + 1] - depths[k])
      origin = g.origins[k] + w * (g.origins[k + 1] - g.origins[k])
      t = Double(k) + w
    }
    let u = dot(point - origin, g.plane.rowDirection) / g.plane.columnSpacing
    let v = dot(point - origin, g.plane.columnDirection) / g.plane.rowSpacing
    let index = SIMD3(u, v, t)
    let counts = [g.plane.columns, g.plane.rows, g.slices]
    for axis in 0..<3 where index[axis] < -0.5 || index[axis] > Double(counts[axis]) - 0.5 { return nil }
    return index
  }

  private func trilinear(_ index: SIMD3<Double>) -> Double? {
    let counts = [volume.grid.plane.columns, volume.grid.plane.rows, volume.grid.slices]
    let parts = (0..<3).map { axis -> [(Int, Double)] in
      let x = min(max(index[axis], 0), Double(counts[axis] - 1))
      let low = Int(x)
      return [(low, 1 - (x - Double(low))), (min(low + 1, counts[axis] - 1), x - Double(low))]
    }
    var (sum, weight) = (0.0, 0.0)
    for (slice, wt) in parts[2] {
      for (row, wv) in parts[1] {
        for (column, wu) in parts[0] where voxel(slice, row, column).isFinite {
          sum += wt * wv * wu * voxel(slice, row, column)
          weight += wt * wv * wu
        }
      }
    }
    return weight >= 0.5 ? sum / weight : nil
  }

  /// Interpolating cubic spline with zero slope at both ends, by its second derivatives; mirrored beyond.
  private func spline(_ x: [Double], _ at: Double, _ y: [Double]) -> Double {
    let n = x.count
    if n == 1 { return y[0] }
    var point = at < x[0] ? 2 * x[0] - at : at
    if point > x[n - 1] { point = 2 * x[n - 1] - point }
    let h = (0..<n - 1).map { x[$0 + 1] - x[$0] }
    let slope = (0..<n - 1).map { (y[$0 + 1] - y[$0]) / h[$0] }
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: n + 1), count: n)
    for i in 0..<n {
      if i > 0 { matrix[i][i - 1] = h[i - 1] }
      matrix[i][i] = 2 * ((i > 0 ? h[i - 1] : 0) + (i < n - 1 ? h[i] : 0))
      if i < n - 1 { matrix[i][i + 1] = h[i] }
      matrix[i][n] = 6 * ((i < n - 1 ? slope[i] : 0) - (i > 0 ? slope[i - 1] : 0))
    }
    let m = solve(matrix)
    var k = 0
    while k < n - 2, point >= x[k + 1] { k += 1 }
    let (a, b) = ((x[k + 1] - point) / h[k], (point - x[k]) / h[k])
    return a * y[k] + b * y[k + 1] + ((a * a * a - a) * m[k] + (b * b * b - b) * m[k + 1]) * h[k] * h[k] / 6
  }

  /// Gaussian elimination of a tridiagonal system; diagonally dominant, so no pivoting.
  private func solve(_ system: [[Double]]) -> [Double] {
    var a = system
    let n = a.count
    for i in 0..<n - 1 {
      let f = a[i + 1][i] / a[i][i]
      for c in [i, i + 1, n] { a[i + 1][c] -= f * a[i][c] }
    }
    var x = [Double](repeating: 0, count: n)
    x[n - 1] = a[n - 1][n] / a[n - 1][n - 1]
    for i in (0..<n - 1).reversed() { x[i] = (a[i][n] - a[i][i + 1] * x[i + 1]) / a[i][i] }
    return x
  }

  func plane(on grid: PlaneGrid, transform: RigidTransform = .identity) -> (pixels: [Float], inside: [Bool]) {
    var pixels: [Float] = []
    var inside: [Bool] = []
    for row in 0..<grid.rows {
      for column in 0..<grid.columns {
        let value = value(at: transform(grid.position(column: Double(column), row: Double(row))))
        pixels.append(value.map(Float.init) ?? background)
        inside.append(value != nil)
      }
    }
    return (pixels, inside)
  }
}
