// How alike two planes are, as numbers – no verdict on them.

/// Measures over two planes of equal size and, where given, only the pixels of a mask (row-major).
public enum Similarity {
  /// Mean of the absolute differences, in the unit of the planes; 0 without pixels.
  public static func meanAbsoluteError(_ a: Plane, _ b: Plane, mask: [Bool]? = nil) -> Double {
    var (sum, count) = (0.0, 0)
    forEachPair(a, b, mask) { x, y in
      sum += Double(abs(x - y))
      count += 1
    }
    return count == 0 ? 0 : sum / Double(count)
  }

  /// Pearson's correlation of the values, -1…1; 0 where one of the planes is constant.
  public static func normalizedCrossCorrelation(_ a: Plane, _ b: Plane, mask: [Bool]? = nil) -> Double {
    var (count, meanX, meanY) = (0.0, 0.0, 0.0)
    forEachPair(a, b, mask) { x, y in
      count += 1
      meanX += Double(x)
      meanY += Double(y)
    }
    guard count > 0 else { return 0 }
    meanX /= count
    meanY /= count
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    forEachPair(a, b, mask) { x, y in
      let (dx, dy) = (Double(x) - meanX, Double(y) - meanY)
      xx += dx * dx
      yy += dy * dy
      xy += dx * dy
    }
    let scale = (xx * yy).squareRoot()
    // A spread at the level of Float rounding is none.
    let noise = 1e-12 * count * (meanX * meanX + meanY * meanY)
    return xx > noise && yy > noise ? xy / scale : 0
  }

  static func forEachPair(_ a: Plane, _ b: Plane, _ mask: [Bool]?, _ body: (Float, Float) -> Void) {
    precondition(a.columns == b.columns && a.rows == b.rows, "planes of one size are compared")
    precondition(mask.map { $0.count == a.pixels.count } ?? true, "a mask covers the plane")
    a.pixels.withUnsafeBufferPointer { x in
      b.pixels.withUnsafeBufferPointer { y in
        for index in x.indices where mask?[index] ?? true { body(x[index], y[index]) }
      }
    }
  }
}
