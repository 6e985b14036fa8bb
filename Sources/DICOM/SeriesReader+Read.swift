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
    let size = plan.grid.plane.rows * plan.grid.plane.columns, total = size * plan.slices.count
    var problem: DICOMError?
    // Not set to anything before: fresh pages would be gone through twice.
    var voxels = [Float](unsafeUninitializedCapacity: total) { buffer, filled in
      do throws(DICOMError) {
        try decode(plan, path: path) { slice, stored, mapping in
          mapping.write(
            stored, to: UnsafeMutableBufferPointer(rebasing: buffer[slice * size..<(slice + 1) * size]))
        }
        filled = total
      } catch { problem = error }
    }
    if let problem { throw problem }
    if plan.isTurnedRound { invert(&voxels) }
    return SeriesVolume(
      volume: Volume(grid: plan.grid, voxels: voxels), unit: plan.unit, suvFactor: plan.suvFactor,
      sources: plan.sources(path: path), notes: plan.notesOfReading)
  }

  /// Decodes every frame of `plan` and keeps nothing. Throws as `read`.
  public static func check(_ plan: SeriesPlan, path: (String) -> String) throws(DICOMError) {
    try decode(plan, path: path) { _, _, _ in }
  }

  /// Gives the stored values of each slice, and what they mean, to `use`.
  private static func decode(
    _ plan: SeriesPlan, path: (String) -> String, use: (_ slice: Int, [UInt8], ValueMapping) -> Void
  ) throws(DICOMError) {
    var places = [[Int]](repeating: [], count: plan.instances.count)
    for (slice, source) in plan.slices.enumerated() { places[source.instance].append(slice) }
    var stored: [UInt8] = []
    for (instance, slices) in zip(plan.instances, places) {
      let file = try DICOMFile(path: path(instance.sopInstanceUID))
      try check(file, is: instance)
      // In file order, so that decoders go forward through the fragments.
      for slice in slices.sorted(by: { plan.slices[$0].frame < plan.slices[$1].frame }) {
        let frame = plan.slices[slice].frame
        try file.decode(frame: frame, of: instance.pixels, into: &stored)
        use(slice, stored, ValueMapping(instance, frame: frame, factor: plan.suvFactor ?? 1))
      }
    }
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

  /// Writes the values of `stored`, as many as `values` has room for.
  func write(_ stored: [UInt8], to values: UnsafeMutableBufferPointer<Float>) {
    precondition(stored.count >= values.count * (pixels.bitsAllocated / 8), "a frame has all its pixels")
    stored.withUnsafeBytes { bytes in
      switch (pixels.bitsAllocated, pixels.isSigned) {
      case (8, false): map(bytes, as: UInt8.self, to: values)
      case (8, true): map(bytes, as: Int8.self, to: values)
      case (16, false): map(bytes, as: UInt16.self, to: values)
      case (16, true): map(bytes, as: Int16.self, to: values)
      case (_, false): map(bytes, as: UInt32.self, to: values)
      case (_, true): map(bytes, as: Int32.self, to: values)
      }
    }
  }

  private func map<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, as: Stored.Type, to values: UnsafeMutableBufferPointer<Float>
  ) {
    let stored = bytes.bindMemory(to: Stored.self)
    // Products in Double: 32-bit values and fractional slopes keep all the digits a Float can hold.
    guard let padding else {
      for index in values.indices { values[index] = Float(Double(stored[index]) * slope + intercept) }
      return
    }
    let (least, most) = (Double(padding.lowerBound), Double(padding.upperBound))
    for index in values.indices {
      let value = Double(stored[index]), isPadding = (value >= least) && (value <= most)
      values[index] = isPadding ? .nan : Float(value * slope + intercept)
    }
  }
}
