// Landmarks at known millimetres, from files to resampled planes: every orientation, tilt and spacing that is accepted.

import DICOM
import Foundation
import Imaging
import Testing

/// As Judge/landmarks.py writes it.
private struct Scenes: Decodable {
  struct Case: Decodable {
    let name: String
    let folder: String
    /// Did SimpleITK resample it too?
    let judged: Bool
  }
  struct Target: Decodable {
    let origin: [Double]
    let row: [Double]
    let column: [Double]
    let landmark: [Double]
  }
  let cases: [Case]
  let planes: [Target]
  let side: Int
  let height: Double

  func grid(_ target: Target) -> PlaneGrid {
    PlaneGrid(
      columns: side, rows: side, origin: SIMD3(target.origin), rowDirection: SIMD3(target.row),
      columnDirection: SIMD3(target.column), columnSpacing: 1, rowSpacing: 1)
  }
}

@Suite struct `Landmarks in files` {
  /// What half a stored step, and coordinates written with six decimals, may make of a value.
  private static let tolerance: Float = 2

  @Test(.enabled(if: Laboratory.hasPython, "no .venv; run make setup"))
  func `landmarks stay within a twentieth of a millimetre, and planes are SimpleITK's`() throws {
    let folder = try Laboratory.scratch()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Laboratory.run("landmarks.py", [folder.path])
    let scenes = try JSONDecoder().decode(
      Scenes.self, from: Data(contentsOf: folder.appending(path: "cases.json")))
    #expect(scenes.cases.count >= 20 && scenes.cases.count(where: \.judged) >= 5)
    for scene in scenes.cases {
      let volume = try read(folder.appending(path: scene.folder))
      let resampler = Resampler(volume: volume, interpolation: .trilinear, background: 0)
      for (number, target) in scenes.planes.enumerated() {
        let grid = scenes.grid(target)
        let plane = resampler.plane(on: grid).plane
        let off = centroid(plane, on: grid) - SIMD3(target.landmark)
        let distance = dot(off, off).squareRoot()
        #expect(distance < 0.05, "\(scene.name), plane \(number): \(distance) mm")
        guard scene.judged else { continue }
        let judged = try Data(contentsOf: folder.appending(path: "\(scene.folder).\(number).expected"))
        let worst = judged.withUnsafeBytes { bytes in
          zip(plane.pixels, bytes.bindMemory(to: Float.self)).map { abs($0 - $1) }.max() ?? .infinity
        }
        #expect(worst < Self.tolerance, "\(scene.name), plane \(number): \(worst) of \(scenes.height)")
      }
    }
  }

  private func read(_ folder: URL) throws -> Volume {
    var paths: [String: String] = [:]
    let instances = try Laboratory.files(under: folder).map { path in
      let instance = try InstanceReader.read(path: path)
      paths[instance.sopInstanceUID] = path
      return instance
    }
    return try SeriesReader.read(try SeriesReader.plan(instances)) { paths[$0] ?? "" }.volume
  }

  /// Intensity-weighted mean position on the plane, mm.
  private func centroid(_ plane: Plane, on grid: PlaneGrid) -> SIMD3<Double> {
    var sum = SIMD3<Double>.zero
    var weight = 0.0
    for row in 0..<plane.rows {
      for column in 0..<plane.columns {
        let value = Double(plane[column, row])
        sum += value * grid.position(column: Double(column), row: Double(row))
        weight += value
      }
    }
    return sum / weight
  }
}
