// From a series' volume to an even field of about a millimetre – raw values, not yet mapped.

internal import CKernels
internal import Imaging

extension FieldGeometry {
  /// Deviation from even steps, mm, below which a stack is taken as even: far below what registration can see.
  static let evenTolerance = 0.02
  /// Pitch that the finest level aims at, mm; finer voxels are averaged in whole boxes.
  static let finestPitch = 1.0

  /// The geometry of an evenly spaced stack, sheared or not; nil where slices are uneven.
  init?(_ grid: VolumeGrid) {
    let last = grid.slices - 1
    guard last > 0 else { return nil }
    let step = (grid.origins[last] - grid.origins[0]) / Double(last)
    let isEven = grid.origins.indices.allSatisfy {
      length(grid.origins[$0] - grid.origins[0] - Double($0) * step) <= Self.evenTolerance
    }
    guard isEven else { return nil }
    self.init(
      size: SIMD3(grid.plane.columns, grid.plane.rows, grid.slices), origin: grid.origins[0],
      steps: [
        grid.plane.columnSpacing * grid.plane.rowDirection,
        grid.plane.rowSpacing * grid.plane.columnDirection, step,
      ])
  }

  /// How many voxels along each axis make about the finest pitch.
  var boxToFinest: SIMD3<Int> {
    let spacing = spacing
    return SIMD3(spacing.x, spacing.y, spacing.z).map { max(1, Int((Self.finestPitch / $0).rounded())) }
  }
}

/// A field before its values are mapped; NaN where there is no data.
struct RawField {
  let geometry: FieldGeometry
  let values: [Float]

  /// The volume averaged to about a millimetre; an uneven stack is first brought onto even planes.
  static func about(_ volume: Volume, isa: fk_isa) -> RawField {
    guard let geometry = FieldGeometry(volume.grid) else { return about(volume.evened(), isa: isa) }
    let box = geometry.boxToFinest
    if box == SIMD3(1, 1, 1) { return RawField(geometry: geometry, values: volume.voxels) }
    let next = geometry.shrunk(by: box)
    let size = geometry.size
    let sides = [Int32(box.x), Int32(box.y), Int32(box.z)]
    let values = [Float](unsafeUninitializedCapacity: next.count) { out, count in
      guard let out = out.baseAddress else { return }
      fk_shrink(volume.voxels, Int32(size.x), Int32(size.y), Int32(size.z), sides, out, isa)
      count = next.count
    }
    return RawField(geometry: next, values: values)
  }
}

extension Volume {
  /// This volume on parallel planes at even steps, in its own orientation, no finer than its closest slices.
  fileprivate func evened() -> Volume {
    let plane = grid.plane
    let depths = grid.depths
    let closest = zip(depths.dropFirst(), depths).map { $0 - $1 }.min() ?? FieldGeometry.finestPitch
    let pitch = max(closest, FieldGeometry.finestPitch)
    let extent = (depths.last ?? 0) - depths[0]
    let steps = max(1, Int((extent / pitch).rounded()))
    let step = extent / Double(steps) * plane.normal
    // Planes stand straight above the middle slice, wide enough for it: a sheared stack leans to both sides.
    let middle = grid.origins[grid.slices / 2]
    let foot = middle - dot(middle - grid.origins[0], plane.normal) * plane.normal
    let target = VolumeGrid(plane: plane, origins: (0...steps).map { foot + Double($0) * step })
    let resampler = Resampler(volume: self, interpolation: .trilinear, background: .nan)
    let voxels = (0..<target.slices).flatMap { resampler.plane(on: target.planeGrid(slice: $0)).plane.pixels }
    return Volume(grid: target, voxels: voxels)
  }
}

extension SIMD3 where Scalar == Double {
  fileprivate func map(_ body: (Double) -> Int) -> SIMD3<Int> { SIMD3<Int>(body(x), body(y), body(z)) }
}
