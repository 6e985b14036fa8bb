// The resampler against SimpleITK, an independent implementation, on geometries that both can express.

import Foundation
import Testing

@testable import Imaging

/// One volume, one plane, as Judge/resample.py reads it.
private struct Case: Encodable {
  struct Target: Encodable {
    let size: [Int]
    let origin: [Double]
    let spacing: [Double]
    let direction: [Double]
  }
  let name: String
  let voxels: String
  let shape: [Int]
  let spacing: [Double]
  let origin: [Double]
  let direction: [Double]
  let matrix: [Double]
  let interpolation: String
  let background: Float
  let target: Target
}

private func direction(_ plane: PlaneGrid, depth: SIMD3<Double>) -> [Double] {
  (0..<3).flatMap { [plane.rowDirection[$0], plane.columnDirection[$0], depth[$0]] }
}

private func array(_ v: SIMD3<Double>) -> [Double] { [v.x, v.y, v.z] }

private struct Scene {
  let name: String
  let grid: VolumeGrid
  let target: PlaneGrid
  let transform: RigidTransform
  let interpolation: Interpolation

  func described(in folder: URL) -> Case {
    let step = grid.origins[1] - grid.origins[0]
    let spacing = length(step)
    return Case(
      name: name, voxels: folder.appending(path: "\(name).voxels").path,
      shape: [grid.slices, grid.plane.rows, grid.plane.columns],
      spacing: [grid.plane.columnSpacing, grid.plane.rowSpacing, spacing], origin: array(grid.origins[0]),
      direction: direction(grid.plane, depth: step / spacing), matrix: transform.matrix,
      interpolation: interpolation.rawValue, background: -7,
      target: Case.Target(
        size: [target.columns, target.rows, 1], origin: array(target.origin),
        spacing: [target.columnSpacing, target.rowSpacing, 1],
        direction: direction(target, depth: target.normal)))
  }
}

private func scenes() -> [Scene] {
  let axial = stack(
    grid(columns: 48, rows: 40, spacing: (1.7, 1.9)), depths: (0..<24).map { 3.3 * Double($0) - 38 })
  let oblique = stack(
    grid(columns: 44, rows: 52, spacing: (1.5, 1.6), angles: SIMD3(0.3, -0.2, 0.5)),
    depths: (0..<20).map { 4 * Double($0) - 38 })
  let tilted = stack(
    grid(columns: 48, rows: 40, spacing: (1.7, 1.9), angles: SIMD3(0.1, 0, 0)),
    depths: (0..<18).map { 4.5 * Double($0) - 38 }, shear: 0.36)
  let flat = grid(columns: 64, rows: 56, spacing: (1.3, 1.4), center: SIMD3(2, -3, 5))
  let slanted = grid(
    columns: 60, rows: 64, spacing: (1.4, 1.2), center: SIMD3(-4, 6, 1), angles: SIMD3(-0.4, 0.3, 0.9))
  let sagittal = grid(columns: 64, rows: 64, spacing: (1.4, 1.4), angles: SIMD3(.pi / 2, 0, .pi / 2))
  let turn = RigidTransform(
    rotation: SIMD3(0.15, -0.1, 0.25), about: SIMD3(5, 5, 5), translation: SIMD3(3, -2, 4))
  var result: [Scene] = []
  for (sourceName, source) in [("axial", axial), ("oblique", oblique), ("tilted", tilted)] {
    for (targetName, target) in [("flat", flat), ("slanted", slanted), ("sagittal", sagittal)] {
      for (motion, transform) in [("still", RigidTransform.identity), ("turned", turn)] {
        for interpolation in Interpolation.allCases {
          result.append(
            Scene(
              name: "\(sourceName)-\(targetName)-\(motion)-\(interpolation.rawValue)", grid: source,
              target: target, transform: transform, interpolation: interpolation))
        }
      }
    }
  }
  return result
}

@Suite struct SimpleITKTests {
  @Test(.enabled(if: Judge.isAvailable, Comment(rawValue: Judge.absence)))
  func `SimpleITK gives the same planes, oblique, tilted and moved, linear and cubic`() throws {
    try Judge.withFolder { folder in
      let scenes = scenes()
      let field = smoothField(seed: 21)
      var volumes: [VolumeGrid: Volume] = [:]
      for scene in scenes {
        let volume = volumes[scene.grid] ?? Volume(scene.grid, field)
        volumes[scene.grid] = volume
        try Judge.write(volume.voxels, to: folder.appending(path: "\(scene.name).voxels"))
      }
      try JSONEncoder().encode(scenes.map { $0.described(in: folder) })
        .write(to: folder.appending(path: "cases.json"))
      try Judge.run("resample.py", folder.path)
      var worst = 0.0
      for scene in scenes {
        let volume = try #require(volumes[scene.grid])
        let got = Resampler(volume: volume, interpolation: scene.interpolation, background: -7)
          .plane(on: scene.target, transform: scene.transform)
        let expected = try Judge.floats(folder.appending(path: "\(scene.name).expected"))
        let error = try compare(got, expected, range: volume.range, scene.name)
        worst = max(worst, error)
      }
      print("SimpleITK: \(scenes.count) planes, largest difference \(worst) of the value range")
    }
  }

  /// Largest difference as a share of the value range; samples on the border of the field of view, where the
  /// last bit decides, may fall on either side.
  private func compare(_ got: ResampledPlane, _ expected: [Float], range: Float, _ name: String) throws
    -> Double
  {
    #expect(got.plane.pixels.count == expected.count)
    #expect(got.insideFraction > 0.15, "\(name) sees the volume")
    let disagree = zip(got.inside, expected).filter { $0 != ($1 != -7) }.count
    #expect(disagree <= 2, "\(name): field of view")
    var worst: Float = 0
    for (index, value) in expected.enumerated() where got.inside[index] && value != -7 {
      worst = max(worst, abs(got.plane.pixels[index] - value) / range)
    }
    #expect(worst <= 1e-3, "\(name)")
    return Double(worst)
  }
}

extension Volume {
  fileprivate var range: Float { (voxels.max() ?? 0) - (voxels.min() ?? 0) }
}
