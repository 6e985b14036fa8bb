// Cubic B-spline coefficients of a stack: the spline that passes through every voxel – not its evaluation.

internal import CKernels

/// Interpolating cubic spline along one axis with knots at the samples, mirrored at both ends.
///
/// With even spacing this is the B-spline of Unser, Aldroubi and Eden (IEEE PAMI 13, 1991) with the mirror
/// boundary that ITK uses. With uneven spacing the knots stay at the true positions.
struct SplineAxis {
  /// Basis polynomials, `[count + 1][4 taps][4 powers of w]`; entry k + 1 is the interval from sample k.
  let basis: [Float]
  /// LU factors of the tridiagonal interpolation system, each `[count]`.
  let lower: [Float]
  let pivot: [Float]
  let upper: [Float]

  init(positions: [Double]) {
    let count = positions.count
    let polynomials = (-1..<count).map { Self.polynomials(interval: $0, positions: positions) }
    basis = polynomials.flatMap { $0.flatMap { $0.map(Float.init) } }
    var lower = [Double](repeating: 0, count: count)
    var pivot = [Double](repeating: 1, count: count)
    var upper = [Double](repeating: 0, count: count)
    for k in 0..<count where count > 1 {
      // At a sample only the taps before, at and after it are not zero; beyond the ends they mirror.
      let taps = polynomials[k + 1].map { $0[0] }
      lower[k] = k == 0 ? 0 : (k == count - 1 ? taps[0] + taps[2] : taps[0])
      let after = k == count - 1 ? 0 : (k == 0 ? taps[0] + taps[2] : taps[2])
      pivot[k] = 1 / (taps[1] - (k == 0 ? 0 : lower[k] * upper[k - 1]))
      upper[k] = after * pivot[k]
    }
    self.lower = lower.map(Float.init)
    self.pivot = pivot.map(Float.init)
    self.upper = upper.map(Float.init)
  }

  /// Evenly spaced samples.
  init(count: Int) { self.init(positions: (0..<count).map(Double.init)) }

  /// Position of a knot, the samples mirrored at the first and the last.
  private static func knot(_ k: Int, _ positions: [Double]) -> Double {
    let last = positions.count - 1
    if k < 0 { return 2 * positions[0] - knot(-k, positions) }
    if k > last { return 2 * positions[last] - knot(2 * last - k, positions) }
    return positions[k]
  }

  /// The four basis functions on the interval from knot k, as polynomials of w = 0 … 1, by the recurrence of
  /// Cox and de Boor.
  private static func polynomials(interval k: Int, positions: [Double]) -> [[Double]] {
    guard positions.count > 1 else { return [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]] }
    let start = knot(k, positions)
    let width = knot(k + 1, positions) - start
    var functions: [[Double]] = [[1, 0, 0, 0]]
    for degree in 1...3 {
      var next = [[Double]](repeating: [0, 0, 0, 0], count: degree + 1)
      for (index, function) in functions.enumerated() {
        let left = knot(k - degree + 1 + index, positions)
        let right = knot(k + 1 + index, positions)
        // Rises from its left knot in one function of the next degree, falls to its right knot in the other.
        let span = right - left
        next[index] = sum(next[index], times(function, (right - start) / span, -width / span))
        next[index + 1] = sum(next[index + 1], times(function, (start - left) / span, width / span))
      }
      functions = next
    }
    return functions
  }

  private static func times(_ p: [Double], _ constant: Double, _ slope: Double) -> [Double] {
    (0..<4).map { p[$0] * constant + ($0 > 0 ? p[$0 - 1] * slope : 0) }
  }

  private static func sum(_ p: [Double], _ q: [Double]) -> [Double] { zip(p, q).map { $0 + $1 } }
}

/// Coefficients of the tensor-product spline through the voxels of a volume.
struct SplineCoefficients: Sendable {
  /// Mirrored coefficients beyond each in-plane edge.
  static let margin = 2
  /// `[slices][rows + 4][columns + 4]`.
  let values: [Float]
  /// `SplineAxis.basis` along the slices.
  let sliceBasis: [Float]

  /// Voxels without data are filled from their neighbours first; the resampler masks what came of them.
  init(of volume: Volume, depths: [Double], isEven: Bool, isa: fk_isa) {
    let plane = volume.grid.plane
    let slices = volume.grid.slices
    let sliceAxis = isEven ? SplineAxis(count: slices) : SplineAxis(positions: depths)
    var data = GapFilling.filled(volume)
    let area = Int64(plane.rows * plane.columns)
    Self.solve(
      &data, SplineAxis(count: plane.columns),
      fk_lines(outer: Int64(plane.rows * slices), length: Int64(plane.columns), inner: 1), isa)
    Self.solve(
      &data, SplineAxis(count: plane.rows),
      fk_lines(outer: Int64(slices), length: Int64(plane.rows), inner: Int64(plane.columns)), isa)
    Self.solve(&data, sliceAxis, fk_lines(outer: 1, length: Int64(slices), inner: area), isa)
    values = Self.padded(data, slices: slices, rows: plane.rows, columns: plane.columns)
    sliceBasis = sliceAxis.basis
  }

  private static func solve(_ data: inout [Float], _ axis: SplineAxis, _ lines: fk_lines, _ isa: fk_isa) {
    guard lines.length > 1 else { return }
    var scratch = [Float](repeating: 0, count: Int(lines.length) * Int(FK_LINE_SCRATCH))
    fk_solve_lines(&data, lines, axis.lower, axis.pivot, axis.upper, &scratch, isa)
  }

  /// Sample that a mirrored index stands for.
  static func mirrored(_ index: Int, count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let inPeriod = ((index % period) + period) % period
    return min(inPeriod, period - inPeriod)
  }

  private static func padded(_ data: [Float], slices: Int, rows: Int, columns: Int) -> [Float] {
    let width = columns + 2 * margin
    let rowSources = (-margin..<rows + margin).map { mirrored($0, count: rows) }
    let edges = [-2, -1, columns, columns + 1].map { (at: $0 + margin, from: mirrored($0, count: columns)) }
    return [Float](unsafeUninitializedCapacity: slices * rowSources.count * width) { out, count in
      data.withUnsafeBufferPointer { data in
        for slice in 0..<slices {
          for source in rowSources {
            let row = UnsafeBufferPointer(
              rebasing: data[(slice * rows + source) * columns..<(slice * rows + source + 1) * columns])
            let target = UnsafeMutableBufferPointer(rebasing: out[count..<count + width])
            _ = UnsafeMutableBufferPointer(rebasing: target[margin..<margin + columns]).initialize(from: row)
            for edge in edges { target.initializeElement(at: edge.at, to: row[edge.from]) }
            count += width
          }
        }
      }
    }
  }
}
