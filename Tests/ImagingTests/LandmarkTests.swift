// Blobs at known millimetres are found at those millimetres on every kind of grid.

import Foundation
import Testing

@testable import Imaging

private struct Pattern: CustomTestStringConvertible {
  let name: String
  let grid: VolumeGrid
  var testDescription: String { name }
}

/// Field of view 120 mm or more around the origin.
private let patterns: [Pattern] = {
  let even = (0..<61).map { 2 * Double($0) - 60 }
  // Spacing 1.5, 2, 2.5, 2, 1.5 … mm.
  var uneven = [-60.0]
  while let last = uneven.last, last < 60 { uneven.append(last + [1.5, 2, 2.5, 2][uneven.count % 4]) }
  let axes: [(String, SIMD3<Double>)] = [
    ("axial", SIMD3(0, 0, 0)), ("coronal", SIMD3(.pi / 2, 0, 0)), ("sagittal", SIMD3(.pi / 2, 0, .pi / 2)),
    ("oblique", SIMD3(0.35, -0.25, 0.6)), ("flipped", SIMD3(.pi, 0, 0)),
  ]
  var result = axes.flatMap { name, angles in
    let plane = grid(columns: 60, rows: 56, spacing: (2, 2.2), angles: angles)
    return [
      Pattern(name: name, grid: stack(plane, depths: even)),
      Pattern(name: "\(name) uneven", grid: stack(plane, depths: uneven)),
    ]
  }
  for degrees in [5.0, 18.5, 30] {
    let plane = grid(columns: 60, rows: 84, spacing: (2, 2))
    let shear = tan(degrees * .pi / 180)
    result += [
      Pattern(name: "tilt \(degrees)°", grid: stack(plane, depths: even, shear: shear)),
      Pattern(name: "tilt \(degrees)° uneven", grid: stack(plane, depths: uneven, shear: -shear)),
    ]
  }
  return result
}()

private let landmarks = [
  SIMD3(0.0, 0, 0), SIMD3(33.2, -20.7, 10.1), SIMD3(-30.3, 21.9, -24.6), SIMD3(14.4, 36.5, 27.8),
]

/// Gaussian blobs of 4.5 mm, too far apart to touch; the voxels are wide against narrower ones, and linear
/// interpolation then moves the centroid by its own error.
private func blobs(_ p: SIMD3<Double>) -> Double {
  landmarks.reduce(0) { sum, landmark in
    let distance = dot(p - landmark, p - landmark)
    return distance < 400 ? sum + exp(-distance / (2 * 4.5 * 4.5)) : sum
  }
}

private let views: [(angles: SIMD3<Double>, transform: RigidTransform)] = [
  (SIMD3(0, 0, 0), .identity), (SIMD3(0.5, -0.3, 0.8), .identity),
  (SIMD3(0.1, 0, 0), RigidTransform(rotation: SIMD3(0.2, 0.1, -0.3), translation: SIMD3(2, -3, 1))),
]

@Suite struct LandmarkTests {
  @Test(arguments: patterns)
  private func `a landmark stays where it is`(pattern: Pattern) {
    let volume = Volume(pattern.grid, blobs)
    let coarse = Antialiasing(columnSigma: 0.6, rowSigma: 0.6, sliceSigma: 1.3)
    let resamplers = [
      Resampler(volume: volume, interpolation: .trilinear, background: 0),
      Resampler(volume: volume, interpolation: .cubicBSpline, background: 0),
      Resampler(volume: volume, interpolation: .trilinear, background: 0, antialiasing: coarse),
    ]
    var worst = 0.0
    for resampler in resamplers {
      for (angles, transform) in views {
        for landmark in landmarks {
          // Seen from the fixed frame the landmark is at the inverse of the transform.
          let expected = transform.inverse(landmark)
          let target = grid(columns: 36, rows: 36, spacing: (1, 1), center: expected, angles: angles)
          let plane = resampler.plane(on: target, transform: transform).plane
          worst = max(worst, length(centroid(plane, on: target) - expected))
        }
      }
    }
    #expect(worst < 0.05, "\(worst) mm")
  }

  /// Intensity-weighted mean position on the plane.
  private func centroid(_ plane: Plane, on grid: PlaneGrid) -> SIMD3<Double> {
    var sum = SIMD3<Double>.zero
    var weight = 0.0
    for row in 0..<plane.rows {
      for column in 0..<plane.columns {
        let w = Double(plane[column, row])
        sum += w * grid.position(column: Double(column), row: Double(row))
        weight += w
      }
    }
    return sum / weight
  }
}
