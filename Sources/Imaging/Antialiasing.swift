// How much a fine volume is smoothed before it is sampled on a coarser grid – the rule and its weights.

internal import CKernels
import Glibc

/// Standard deviations of the Gaussian applied along each axis of a volume before sampling; recorded with the
/// result.
///
/// The rule: a pixel of width h averages over it, a box of variance h²/12. To look as if it had been acquired
/// with the target's pixels H, a volume is smoothed by the difference, `σ² = (H² - h²)/12`. For rotated grids H
/// along an axis a of the moving volume is `√(Σ (Hᵢ tᵢ·a)²)` over the axes tᵢ of the target: the variance of the
/// target's box along a. Smoothing is separable along the volume's axes, along the joining lines of a sheared
/// stack, and ignores voxels without data.
public struct Antialiasing: Sendable, Hashable, Codable {
  /// Up to this ratio H/h an axis is left alone: the loss by smoothing would exceed that by aliasing.
  public static let leastRatio = 1.1
  /// Weights below this share of the central one are left out.
  static let leastWeight = 1e-4
  /// Above this variance (pixels²) a sampled Gaussian has its own variance to 10⁻⁹.
  static let sampledVariance = 4.0

  /// Standard deviation along the rows of the image, in columns; 0 means not smoothed.
  public let columnSigma: Double
  /// Standard deviation along the columns of the image, in rows.
  public let rowSigma: Double
  /// Standard deviation through the plane, mm.
  public let sliceSigma: Double

  /// How far through the plane a slice draws on others, mm; what lies beyond has no weight.
  public var sliceReach: Double { sliceSigma * (-2 * log(Self.leastWeight)).squareRoot() }

  public static let none = Antialiasing(columnSigma: 0, rowSigma: 0, sliceSigma: 0)

  public init(columnSigma: Double, rowSigma: Double, sliceSigma: Double) {
    self.columnSigma = columnSigma
    self.rowSigma = rowSigma
    self.sliceSigma = sliceSigma
  }

  /// The smoothing that `source` needs before it is sampled on `target`. `transform` maps target positions to
  /// source positions. A target of a single slice has no pitch through the plane and does not smooth there.
  public init(from source: VolumeGrid, to target: VolumeGrid, transform: RigidTransform = .identity) {
    let plane = source.plane
    let pitches = [
      target.plane.columnSpacing * transform.rotate(target.plane.rowDirection),
      target.plane.rowSpacing * transform.rotate(target.plane.columnDirection),
      (target.medianSliceSpacing ?? 0) * transform.rotate(target.plane.normal),
    ]
    func sigma(_ axis: SIMD3<Double>, _ width: Double) -> Double {
      let variance = pitches.reduce(0) { $0 + dot($1, axis) * dot($1, axis) }
      let ratio = variance.squareRoot() / width
      return ratio > Self.leastRatio ? ((ratio * ratio - 1) / 12).squareRoot() : 0
    }
    let spacing = source.medianSliceSpacing
    self.init(
      columnSigma: sigma(plane.rowDirection, plane.columnSpacing),
      rowSigma: sigma(plane.columnDirection, plane.rowSpacing),
      sliceSigma: spacing.map { sigma(plane.normal, $0) * $0 } ?? 0)
  }
}

extension VolumeGrid {
  /// Median distance of neighbouring slices along the normal, mm; nil for a single slice.
  public var medianSliceSpacing: Double? {
    let depths = self.depths
    let steps = zip(depths.dropFirst(), depths).map { $0 - $1 }.sorted()
    return steps.isEmpty ? nil : steps[steps.count / 2]
  }
}

/// Weights of a Gaussian along one axis: element i is the weighted mean of `taps[i]` elements from `first[i]`.
struct SmoothingTable: Sendable {
  var first: [Int32] = []
  var taps: [Int32] = []
  /// `[count][stride]`.
  var weights: [Float] = []
  var stride: Int32 = 1

  /// Even axis; `sigma` in elements. The discrete Gaussian `e⁻ᵗ Iₙ(t)` of Lindeberg (IEEE PAMI 12, 1990) has
  /// the variance t exactly, which a sampled one has only when it is wide.
  init(count: Int, sigma: Double) {
    let kernel = Self.kernel(variance: sigma * sigma).map(Float.init)
    let reach = kernel.count - 1, longest = min(count, 2 * reach + 1)
    stride = Int32(max(longest, 1))
    weights = [Float](repeating: 0, count: count * longest)
    for at in 0..<count {
      let start = max(0, at - reach), end = min(count, at + reach + 1)
      first.append(Int32(start))
      taps.append(Int32(end - start))
      for from in start..<end { weights[at * longest + from - start] = kernel[abs(from - at)] }
    }
  }

  /// Uneven axis; positions and `sigma` in mm. Each element weighs the Gaussian at its true distance times the
  /// length of the axis that it stands for. The weights are then tilted so that their mean is the element's own
  /// position: unevenness must not move anatomy.
  init(positions: [Double], sigma: Double) {
    let last = positions.count - 1
    let lengths = positions.indices.map { k in
      let (low, high) = (max(k - 1, 0), min(k + 1, last))
      return (positions[high] - positions[low]) / Double(high - low)
    }
    let rows = positions.indices.map { at in
      let all = positions.indices.map { k in
        let distance = (positions[k] - positions[at]) / sigma
        return lengths[k] * exp(-distance * distance / 2)
      }
      let near = all.indices.filter { all[$0] >= Antialiasing.leastWeight * all[at] }
      let range = near[0]...near[near.count - 1]
      return (near[0], Self.centred(Array(all[range]), at: positions[range].map { $0 - positions[at] }))
    }
    self.init(rows: rows)
  }

  /// Weights of the local linear fit; as they are where that would need negative ones, which is at the ends.
  private static func centred(_ weights: [Double], at offsets: [Double]) -> [Double] {
    let moments = zip(weights, offsets).reduce(SIMD2(0.0, 0)) { $0 + $1.0 * SIMD2($1.1, $1.1 * $1.1) }
    let tilted = zip(weights, offsets).map { $0 * (moments.y - moments.x * $1) }
    return moments.y > 0 && tilted.allSatisfy { $0 >= 0 } ? tilted : weights
  }

  private init(rows: [(first: Int, weights: [Double])]) {
    let longest = rows.map(\.weights.count).max() ?? 1
    stride = Int32(longest)
    first = rows.map { Int32($0.first) }
    taps = rows.map { Int32($0.weights.count) }
    weights = rows.flatMap { row in
      row.weights.map(Float.init) + [Float](repeating: 0, count: longest - row.weights.count)
    }
  }

  /// Weights at distance 0, 1, … elements.
  private static func kernel(variance: Double) -> [Double] {
    var weights: [Double] = []
    while true {
      let n = Double(weights.count)
      let weight =
        variance > Antialiasing.sampledVariance
        ? exp(-n * n / (2 * variance)) : besselI(weights.count, variance)
      if let centre = weights.first, weight < Antialiasing.leastWeight * centre { return weights }
      weights.append(weight)
    }
  }

  /// Modified Bessel function of the first kind by its power series (Abramowitz and Stegun 9.6.10); x ≤ 4.
  private static func besselI(_ order: Int, _ x: Double) -> Double {
    var term = (0..<order).reduce(1) { $0 * x / 2 / Double($1 + 1) }
    var sum = term
    for m in 1..<40 {
      term *= x * x / 4 / Double(m * (m + order))
      sum += term
    }
    return sum
  }

  func apply(to data: inout [Float], _ lines: fk_lines, isa: fk_isa) {
    var scratch = [Float](repeating: 0, count: Int(lines.length) * Int(FK_LINE_SCRATCH))
    fk_smooth_lines(&data, lines, first, taps, weights, stride, &scratch, isa)
  }
}
