// A head-like picture made of ellipses and ripples: something to measure on, not anatomy.

import DICOM
import Foundation
import Imaging

struct SyntheticHead {
  let side: Int

  /// 0…1; `contrast` is the brightness of the brain, so that two modalities differ.
  func plane(slice: Int, contrast: Float) -> Plane {
    let shift = 0.02 * sin(Float(slice) * 0.4)
    var pixels: [Float] = []
    pixels.reserveCapacity(side * side)
    for row in 0..<side {
      let y = 2 * Float(row) / Float(side) - 1
      for column in 0..<side {
        let x = 2 * Float(column) / Float(side) - 1 - shift
        let radius = (x * x / 0.5 + y * y / 0.7).squareRoot()
        let ripple = 0.05 * sin(23 * x + Float(slice)) * cos(19 * y)
        pixels.append(radius > 1 ? 0.01 : radius > 0.9 ? 0.95 : contrast + ripple)
      }
    }
    return Plane(columns: side, rows: side, pixels: pixels)
  }

  /// The slice as a file: 12-bit values of the plane.
  func file(_ kind: SyntheticSlice.Kind, slice: Int, study: String) throws -> (name: String, bytes: [UInt8]) {
    let plane = plane(slice: slice, contrast: kind == .ct ? 0.4 : 0.7)
    let file = SyntheticSlice(
      kind: kind, side: side, fieldOfView: 240, index: slice, spacing: 2, study: study,
      pixels: plane.pixels.map { UInt16($0 * 2047) })
    return (file.sopInstanceUID + ".dcm", try file.encoded())
  }

  /// A series of CT or MR files in a folder that is there.
  func write(_ kind: SyntheticSlice.Kind, slices: Int, study: String, into folder: String) throws {
    for slice in 0..<slices {
      let file = try file(kind, slice: slice, study: study)
      try Data(file.bytes).write(to: URL(fileURLWithPath: folder + "/" + file.name))
    }
  }
}
