// Structural similarity of two planes of the same contrast.

import Glibc

extension Similarity {
  /// SSIM of Wang, Bovik, Sheikh and Simoncelli (IEEE TIP 13, 2004): Gaussian window of 11 × 11 with σ 1.5 pixels,
  /// K₁ 0.01, K₂ 0.03, mean over the windows that lie wholly in the image (and have their centre in the mask).
  /// `range` is the largest possible difference of two values. 1 for a plane with itself; 0 when no window fits.
  public static func structuralSimilarity(
    _ a: Plane, _ b: Plane, range: Double = 1, mask: [Bool]? = nil
  ) -> Double {
    precondition(a.columns == b.columns && a.rows == b.rows, "planes of one size are compared")
    let radius = 5
    guard a.columns > 2 * radius, a.rows > 2 * radius else { return 0 }
    let x = a.pixels.map(Double.init)
    let y = b.pixels.map(Double.init)
    let means = [x, y, zip(x, x).map(*), zip(y, y).map(*), zip(x, y).map(*)].map {
      windowMeans($0, columns: a.columns, rows: a.rows, radius: radius)
    }
    let c1 = (0.01 * range) * (0.01 * range)
    let c2 = (0.03 * range) * (0.03 * range)
    let width = a.columns - 2 * radius
    var (sum, count) = (0.0, 0)
    for index in means[0].indices {
      let centre = (index / width + radius) * a.columns + index % width + radius
      guard mask?[centre] ?? true else { continue }
      let (mx, my) = (means[0][index], means[1][index])
      let (vx, vy, cov) = (means[2][index] - mx * mx, means[3][index] - my * my, means[4][index] - mx * my)
      sum += (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
      count += 1
    }
    return count == 0 ? 0 : sum / Double(count)
  }

  /// Gaussian-weighted means of all windows that fit, row-major `[rows - 2·radius][columns - 2·radius]`.
  private static func windowMeans(_ values: [Double], columns: Int, rows: Int, radius: Int) -> [Double] {
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let total = weights.reduce(0, +)
    let kernel = weights.map { $0 / total }
    let width = columns - 2 * radius
    let height = rows - 2 * radius
    var across = [Double](repeating: 0, count: width * rows)
    for row in 0..<rows {
      for column in 0..<width {
        var sum = 0.0
        for (offset, weight) in kernel.enumerated() {
          sum += weight * values[row * columns + column + offset]
        }
        across[row * width + column] = sum
      }
    }
    var means = [Double](repeating: 0, count: width * height)
    for row in 0..<height {
      for (offset, weight) in kernel.enumerated() {
        for column in 0..<width {
          means[row * width + column] += weight * across[(row + offset) * width + column]
        }
      }
    }
    return means
  }
}
