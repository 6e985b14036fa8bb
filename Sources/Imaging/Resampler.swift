// The values of a volume on any plane of the patient – through a rigid transform, never deformed.

internal import CKernels

/// How values between voxels are found.
public enum Interpolation: String, Sendable, Codable, CaseIterable {
  /// Linear along each axis of the stack.
  case trilinear
  /// The cubic spline through the voxels; sharper, may overshoot at edges.
  case cubicBSpline
}

/// A moving volume as seen on one plane of the fixed series.
public struct ResampledPlane: Sendable {
  /// The values; samples outside hold the resampler's background.
  public let plane: Plane
  /// Row-major: whether the sample lay inside the moving volume's field of view, on data.
  public let inside: [Bool]
  /// Share of samples inside, 0…1.
  public let insideFraction: Double
  /// Indices of the moving slices that any inside sample drew on, ascending: those with weight in the
  /// interpolation and, where the volume was smoothed through the plane, in the smoothing.
  public let contributingSlices: [Int]
}

/// Samples one volume on planes.
///
/// A sample is inside when its index lies within half a pixel of the outermost pixel centres, in column, row and
/// slice (half the neighbouring spacing), as in ITK; there the edge value continues (trilinear) or the image is
/// mirrored (cubic). A single slice reaches half its thickness. Voxels that are not finite are 'no data': a
/// sample with less than half of its trilinear weight on data is outside, others take the mean over data.
public struct Resampler: Sendable {
  public let interpolation: Interpolation
  public let background: Float
  /// The smoothing that was applied to the volume first.
  public let antialiasing: Antialiasing

  let lattice: Lattice
  let voxels: [Float]
  /// Not known where every row is looked at anyway: rows inside an evenly spaced stack, sampled linearly.
  let gaps: fk_gaps
  let coefficients: SplineCoefficients?
  /// Slices that each slice of the smoothed volume was made from; nil where not smoothed through the plane.
  let sliceSupport: [Range<Int>]?
  /// All instruction sets give the same bits; tests choose.
  var isa: fk_isa

  /// - Parameters:
  ///   - background: value of samples outside.
  ///   - sliceThickness: mm; only a volume of a single slice needs it.
  ///   - antialiasing: smoothing applied once, here.
  public init(
    volume: consuming Volume, interpolation: Interpolation, background: Float, sliceThickness: Double? = nil,
    antialiasing: Antialiasing = .none
  ) {
    precondition(volume.voxels.count < Int32.max, "a stack of 2³¹ voxels and more is read in parts")
    let isa = fk_best_isa()
    let lattice = Lattice(volume.grid, sliceThickness: sliceThickness)
    let (smooth, support) = (consume volume).smoothed(antialiasing, lattice: lattice, isa: isa)
    self.interpolation = interpolation
    self.background = background
    self.antialiasing = antialiasing
    self.lattice = lattice
    self.isa = isa
    voxels = smooth.voxels
    gaps =
      interpolation == .trilinear && lattice.isEven
      ? FK_GAPS_UNKNOWN : smooth.hasGaps ? FK_GAPS_SOME : FK_GAPS_NONE
    sliceSupport = support
    coefficients =
      interpolation == .cubicBSpline
      ? SplineCoefficients(of: smooth, depths: lattice.depths, isEven: lattice.isEven, isa: isa) : nil
  }

  /// A resampler for the planes of `target`, smoothed as that grid's pitch needs unless `antialias` is false.
  public init(
    volume: consuming Volume, onto target: VolumeGrid, transform: RigidTransform = .identity,
    interpolation: Interpolation = .trilinear, background: Float, sliceThickness: Double? = nil,
    antialias: Bool = true
  ) {
    let rule = antialias ? Antialiasing(from: volume.grid, to: target, transform: transform) : .none
    self.init(
      volume: consume volume, interpolation: interpolation, background: background,
      sliceThickness: sliceThickness, antialiasing: rule)
  }

  /// The volume on `grid`. `transform` maps positions of the grid's frame to the volume's.
  public func plane(on grid: PlaneGrid, transform: RigidTransform = .identity) -> ResampledPlane {
    let count = grid.rows * grid.columns
    var insideCount = 0
    var inside: [Bool] = []
    var used = [Bool](repeating: false, count: lattice.grid.slices)
    // Not set to anything before: the memory would pass through the cache twice.
    let pixels = [Float](unsafeUninitializedCapacity: count) { pixels, filled in
      inside = [Bool](unsafeUninitializedCapacity: count) { flags, marked in
        insideCount = sample(grid, transform, pixels.baseAddress, flags.baseAddress, &used)
        marked = count
      }
      filled = count
    }
    return ResampledPlane(
      plane: Plane(columns: grid.columns, rows: grid.rows, pixels: pixels), inside: inside,
      insideFraction: count == 0 ? 0 : Double(insideCount) / Double(count),
      contributingSlices: sources(of: used))
  }

  /// Fills `pixels` and `inside` row by row; gives the number of samples inside.
  private func sample(
    _ grid: PlaneGrid, _ transform: RigidTransform, _ pixels: UnsafeMutablePointer<Float>?,
    _ inside: UnsafeMutablePointer<Bool>?, _ used: inout [Bool]
  ) -> Int {
    guard let pixels, let inside else { return 0 }
    var count = 0
    withSampler(nextRow: lattice.distance(rows: 2, of: grid, through: transform)) { sampler in
      for row in 0..<grid.rows {
        var ray = lattice.ray(row: row, of: grid, through: transform)
        let start = row * grid.columns
        count += Int(
          fk_sample_row(sampler, &ray, Int32(grid.columns), pixels + start, inside + start, &used))
      }
    }
    return count
  }

  private func sources(of used: [Bool]) -> [Int] {
    let slices = used.indices.filter { used[$0] }
    guard let sliceSupport else { return slices }
    return Set(slices.flatMap { sliceSupport[$0] }).sorted()
  }

  private func withSampler(nextRow: Int, _ body: (UnsafePointer<fk_sampler>) -> Void) {
    let shiftU = lattice.shifts.map(\.x)
    let shiftV = lattice.shifts.map(\.y)
    let plane = lattice.grid.plane
    lattice.depths.withUnsafeBufferPointer { depths in
      shiftU.withUnsafeBufferPointer { shiftU in
        shiftV.withUnsafeBufferPointer { shiftV in
          voxels.withUnsafeBufferPointer { voxels in
            withCoefficients { values, basis in
              guard let depths = depths.baseAddress, let shiftU = shiftU.baseAddress,
                let shiftV = shiftV.baseAddress, let voxels = voxels.baseAddress
              else { return }
              var sampler = fk_sampler(
                lattice: fk_lattice(
                  slices: Int32(lattice.depths.count), rows: Int32(plane.rows), columns: Int32(plane.columns),
                  depths: depths, shift_u: shiftU, shift_v: shiftV, is_even: lattice.isEven,
                  half_thickness: lattice.halfThickness),
                voxels: voxels, gaps: gaps, coefficients: values, slice_basis: basis,
                background: background, isa: isa, next_row: nextRow)
              body(&sampler)
            }
          }
        }
      }
    }
  }

  private func withCoefficients(_ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void) {
    guard let coefficients else { return body(nil, nil) }
    coefficients.values.withUnsafeBufferPointer { values in
      coefficients.sliceBasis.withUnsafeBufferPointer { basis in body(values.baseAddress, basis.baseAddress) }
    }
  }
}

extension Volume {
  /// This volume smoothed along its axes, and the slices that each new slice was made from. Its own memory is used again
  /// where nobody else holds it.
  consuming func smoothed(_ rule: Antialiasing, lattice: Lattice, isa: fk_isa) -> (Volume, [Range<Int>]?) {
    guard rule != .none else { return (self, nil) }
    let grid = self.grid
    var data = (consume self).voxels
    let (slices, rows, columns) = (grid.slices, grid.plane.rows, grid.plane.columns)
    if rule.columnSigma > 0 {
      SmoothingTable(count: columns, sigma: rule.columnSigma).apply(
        to: &data, fk_lines(outer: Int64(slices * rows), length: Int64(columns), inner: 1), isa: isa)
    }
    if rule.rowSigma > 0 {
      SmoothingTable(count: rows, sigma: rule.rowSigma).apply(
        to: &data, fk_lines(outer: Int64(slices), length: Int64(rows), inner: Int64(columns)), isa: isa)
    }
    guard rule.sliceSigma > 0, slices > 1 else { return (Volume(grid: grid, voxels: data), nil) }
    let spacing = (lattice.depths[slices - 1] - lattice.depths[0]) / Double(slices - 1)
    let table =
      lattice.isEven
      ? SmoothingTable(count: slices, sigma: rule.sliceSigma / spacing)
      : SmoothingTable(positions: lattice.depths, sigma: rule.sliceSigma)
    table.apply(to: &data, fk_lines(outer: 1, length: Int64(slices), inner: Int64(rows * columns)), isa: isa)
    let support = zip(table.first, table.taps).map { Int($0)..<Int($0 + $1) }
    return (Volume(grid: grid, voxels: data), support)
  }
}
