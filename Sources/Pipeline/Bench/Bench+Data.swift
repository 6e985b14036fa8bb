// Resampling a CT-sized volume, and files in and out.

import DICOM
import Foundation
import Imaging

extension Bench {
  /// 512×512×120 of 0.47 mm onto 256×256×120, turned by 3°, as registration leaves it.
  func resampling(_ interpolation: Interpolation, _ part: Part) -> BenchPart {
    let (columns, slices) = (512, 120)
    let plane = SyntheticHead(side: columns).plane(slice: 0, contrast: 0.4)
    let volume = Volume(
      grid: Self.grid(side: columns, slices: slices),
      voxels: (0..<slices).flatMap { slice in plane.pixels.map { ($0 * 2047).rounded() + Float(slice) } })
    let target = Self.grid(side: 256, slices: slices)
    let turn = RigidTransform(rotation: SIMD3(0, 0, 3 * Double.pi / 180), translation: SIMD3(2, -1, 0.5))
    let windows = windows {
      let resampler = Resampler(volume: volume, interpolation: interpolation, background: -1024)
      for slice in 0..<slices { _ = resampler.plane(on: target.planeGrid(slice: slice), transform: turn) }
    }
    return BenchPart(part.rawValue, piece: "volume of 512×512×120 onto 256×256×120", windows: windows)
  }

  private static func grid(side: Int, slices: Int) -> VolumeGrid {
    let pixel = 240.0 / Double(side), corner = (pixel - 240) / 2
    let plane = PlaneGrid(
      columns: side, rows: side, origin: SIMD3(corner, corner, 0), rowDirection: SIMD3(1, 0, 0),
      columnDirection: SIMD3(0, 1, 0), columnSpacing: pixel, rowSpacing: pixel)
    return VolumeGrid(
      plane: plane, origins: (0..<slices).map { SIMD3(corner, corner, Double($0) * 1.25) })
  }

  /// Open, check and decode every frame of every file.
  func decoding() throws -> BenchPart {
    if let files { return try decoding(paths: Self.paths(in: files), what: "file of \(files)") }
    return try inTemporaryFolder { folder in
      try SyntheticHead(side: 512).write(.ct, slices: 16, study: "decoding", into: folder)
      return try decoding(paths: Self.paths(in: folder), what: "uncompressed slice of 512×512")
    }
  }

  private static func paths(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { folder + "/" + $0 }
  }

  private func decoding(paths: [String], what: String) throws -> BenchPart {
    guard !paths.isEmpty else { throw FileError("read", files ?? "", code: ENOENT) }
    let windows = try windows {
      for path in paths {
        let file = try DICOMFile(path: path)
        let pixels = try file.pixelDescription()
        var bytes: [UInt8] = []
        for frame in 0..<pixels.frames { try file.decode(frame: frame, of: pixels, into: &bytes) }
      }
    }
    let count = Double(paths.count)
    let each = windows.map { Elapsed(wall: $0.wall / count, cpu: $0.cpu / count) }
    return BenchPart(Part.decoding.rawValue, piece: what, windows: each)
  }

  /// Encode, write, flush: what one output costs beside its pixels.
  func writing() throws -> BenchPart {
    try inTemporaryFolder { folder in
      let head = SyntheticHead(side: settings.grid.side)
      let windows = try windows {
        let file = try head.file(.mr, slice: 0, study: "writing")
        let path = folder + "/" + file.name
        try FileSystem.write(Data(file.bytes), to: path)
        try FileSystem.remove(path)
      }
      return BenchPart(
        Part.writing.rawValue, piece: "derived image of \(head.side)×\(head.side)", windows: windows)
    }
  }
}
