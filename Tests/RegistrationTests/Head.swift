// A head made of a few ellipsoids, in several contrasts, sampled on any grid – for the tests of this folder.

import Imaging

@testable import Registration

/// An invented head in its own coordinates, mm; zero in its middle.
struct Head {
  enum Contrast { case mr, ct, pet }

  /// Semi-axes of the skin, mm.
  var size = SIMD3(75.0, 92, 85)
  /// Centres, radii (mm) and brightness of what is inside the brain.
  var bodies: [(center: SIMD3<Double>, radius: Double, share: Double)] = [
    (SIMD3(-20, -15, 15), 14, 1), (SIMD3(24, 20, 10), 18, 0.6), (SIMD3(5, 45, -20), 16, 0.8),
    (SIMD3(-30, 25, -15), 12, 0.3), (SIMD3(15, -50, 5), 13, 0.9), (SIMD3(0, 0, 50), 12, 0.5),
  ]

  /// Another head: other shape and other contents.
  static let other = Head(
    size: SIMD3(68, 84, 92),
    bodies: [
      (SIMD3(18, -25, 0), 17, 1), (SIMD3(-26, 5, 25), 13, 0.7), (SIMD3(-8, 48, 8), 15, 0.4),
      (SIMD3(28, 35, -25), 12, 0.9), (SIMD3(-18, -45, -15), 16, 0.5), (SIMD3(10, 10, 45), 14, 0.8),
    ])

  func value(_ contrast: Contrast, at point: SIMD3<Double>) -> Double {
    let scaled = point / size
    let depth = (1 - length(scaled)) * size.min()
    // A face, so that front and back, left and right differ.
    let nose = 14 - length(point - SIMD3(4, -94, -25))
    let inside = edge(max(depth, nose))
    let skull = edge(depth - 6) * edge(13 - depth)
    let brain = edge(depth - 15)
    var blobs = 0.0
    for body in bodies { blobs = max(blobs, body.share * edge(body.radius - length(point - body.center))) }
    switch contrast {
    case .mr: return 900 * inside - 700 * skull + brain * (-300 + 400 * blobs)
    case .ct: return -1000 + 1040 * inside + 900 * skull - brain * (10 + 40 * blobs)
    case .pet: return 200 * inside + brain * (9000 - 7000 * blobs)
    }
  }

  /// 0 outside, 1 inside, over about three millimetres: what sampling of 4 mm can carry.
  private func edge(_ depth: Double) -> Double { min(max(depth / 4 + 0.5, 0), 1) }

  /// A volume of `spacing` mm whose middle is at `center`; `toHead` maps its positions to the head's.
  func volume(
    _ contrast: Contrast, spacing: SIMD3<Double> = SIMD3(4, 4, 4), size: SIMD3<Int> = SIMD3(50, 58, 52),
    center: SIMD3<Double> = .zero, shear: Double = 0, toHead: RigidTransform = .identity,
    axes: (SIMD3<Double>, SIMD3<Double>) = (SIMD3(1, 0, 0), SIMD3(0, 1, 0)), depths: [Double]? = nil
  ) -> Volume {
    let normal = cross(axes.0, axes.1)
    let half = (SIMD3<Double>(size) - 1) / 2 * spacing
    let corner = center - half.x * axes.0 - half.y * axes.1
    let heights = depths ?? (0..<size.z).map { Double($0) * spacing.z - half.z }
    let plane = PlaneGrid(
      columns: size.x, rows: size.y, origin: corner, rowDirection: axes.0, columnDirection: axes.1,
      columnSpacing: spacing.x, rowSpacing: spacing.y)
    let grid = VolumeGrid(
      plane: plane, origins: heights.map { corner + $0 * normal + ($0 * shear) * axes.1 })
    var voxels: [Float] = []
    voxels.reserveCapacity(grid.slices * size.x * size.y)
    for slice in 0..<grid.slices {
      let plane = grid.planeGrid(slice: slice)
      for row in 0..<size.y {
        for column in 0..<size.x {
          voxels.append(
            Float(value(contrast, at: toHead(plane.position(column: Double(column), row: Double(row))))))
        }
      }
    }
    return Volume(grid: grid, voxels: voxels)
  }
}

/// Mean distance over the brain between where two transforms bring its points, mm.
func targetError(_ a: RigidTransform, _ b: RigidTransform) -> Double {
  var (sum, n) = (0.0, 0.0)
  for x in stride(from: -45.0, through: 45, by: 30) {
    for y in stride(from: -60.0, through: 60, by: 30) {
      for z in stride(from: -45.0, through: 45, by: 30) {
        sum += length(a(SIMD3(x, y, z)) - b(SIMD3(x, y, z)))
        n += 1
      }
    }
  }
  return sum / n
}

func degrees(_ x: Double, _ y: Double, _ z: Double) -> SIMD3<Double> { SIMD3(x, y, z) * .pi / 180 }
