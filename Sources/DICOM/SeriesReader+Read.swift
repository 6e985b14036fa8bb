// From a plan to voxels: each file opened once, each frame decoded once, rescaled with its own slope in Float.

internal import Imaging

extension SeriesReader {
  /// Reads the voxels of `plan`; `path` says where the file of a SOP Instance UID is.
  ///
  /// Values are slope · stored + intercept of each frame, times the SUV factor if there is one; padding becomes
  /// NaN. `MONOCHROME1` says only how to display, so values with a unit stay; in unit `arbitrary` they are
  /// turned round, v′ = least + most − v over the volume, so that bright means much.
  ///
  /// Throws what opening and decoding throw, and `changed_since_intake` when a file is not the one planned.
  public static func read(
    _ plan: SeriesPlan, path: (String) -> String
  ) throws(DICOMError) -> SeriesVolume {
    let size = plan.grid.plane.rows * plan.grid.plane.columns
    var voxels = [Float](repeating: 0, count: size * plan.slices.count)
    for (index, instance) in plan.instances.enumerated() {
      let file = try DICOMFile(path: path(instance.sopInstanceUID))
      try check(file, is: instance)
      var stored: [UInt8] = []
      // In file order, so that decoders go forward through the fragments.
      let slices = plan.slices.indices.filter { plan.slices[$0].instance == index }
        .sorted { plan.slices[$0].frame < plan.slices[$1].frame }
      for slice in slices {
        let frame = plan.slices[slice].frame
        try file.decode(frame: frame, of: instance.pixels, into: &stored)
        let mapping = ValueMapping(instance, frame: frame, factor: plan.suvFactor ?? 1)
        mapping.write(stored, to: &voxels, at: slice * size, count: size)
      }
    }
    if plan.isTurnedRound { invert(&voxels) }
    return SeriesVolume(
      volume: Volume(grid: plan.grid, voxels: voxels), unit: plan.unit, suvFactor: plan.suvFactor,
      sources: plan.sources(path: path), notes: plan.notesOfReading)
  }

  private static func check(_ file: borrowing DICOMFile, is instance: Instance) throws(DICOMError) {
    guard file.word(.sopInstanceUID) ?? file.word(.mediaStorageSOPInstanceUID) == instance.sopInstanceUID,
      try file.pixelDescription() == instance.pixels
    else {
      throw DICOMError(
        .changed, subject: file.path, detail: "is not the file that was taken in; restore it or drop it again"
      )
    }
  }

  private static func invert(_ voxels: inout [Float]) {
    var least = Float.infinity
    var most = -Float.infinity
    for value in voxels where value.isFinite {
      least = min(least, value)
      most = max(most, value)
    }
    guard least <= most else { return }
    for index in voxels.indices { voxels[index] = least + most - voxels[index] }
  }
}

/// Stored values of one frame to Float values.
struct ValueMapping {
  let pixels: PixelDescription
  let slope: Double
  let intercept: Double
  /// Stored values that mean nothing, inclusive.
  let padding: ClosedRange<Int>?

  init(_ instance: Instance, frame: Int, factor: Double) {
    pixels = instance.pixels
    slope = instance.frames[frame].rescaleSlope * factor
    intercept = instance.frames[frame].rescaleIntercept * factor
    let limit = instance.pixels.paddingRangeLimit
    padding = instance.pixels.paddingValue.map { min($0, limit ?? $0)...max($0, limit ?? $0) }
  }

  /// Writes `count` values of `stored` to `voxels` from `offset` on.
  func write(_ stored: [UInt8], to voxels: inout [Float], at offset: Int, count: Int) {
    stored.withUnsafeBytes { bytes in
      switch (pixels.bitsAllocated, pixels.isSigned) {
      case (8, false): map(bytes, as: UInt8.self, to: &voxels, at: offset, count: count)
      case (8, true): map(bytes, as: Int8.self, to: &voxels, at: offset, count: count)
      case (16, false): map(bytes, as: UInt16.self, to: &voxels, at: offset, count: count)
      case (16, true): map(bytes, as: Int16.self, to: &voxels, at: offset, count: count)
      case (_, false): map(bytes, as: UInt32.self, to: &voxels, at: offset, count: count)
      case (_, true): map(bytes, as: Int32.self, to: &voxels, at: offset, count: count)
      }
    }
  }

  private func map<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, as: Stored.Type, to voxels: inout [Float], at offset: Int, count: Int
  ) {
    let stored = bytes.bindMemory(to: Stored.self)
    // Products in Double: 32-bit values and fractional slopes keep all the digits a Float can hold.
    for index in 0..<count {
      let value = Int(stored[index])
      let isPadding = padding.map { $0.contains(value) } ?? false
      voxels[offset + index] = isPadding ? .nan : Float(Double(value) * slope + intercept)
    }
  }
}
