// Similarity of planes whose contrasts differ: what one tells about the other.

import Glibc

extension Similarity {
  /// Entropies of a joint histogram, bits.
  struct Entropies: Sendable {
    var first = 0.0
    var second = 0.0
    var joint = 0.0

    /// Mutual information, bits.
    var mutual: Double { max(0, first + second - joint) }
    /// Normalised mutual information, 1…2.
    var normalized: Double { joint > 0 ? (first + second) / joint : 1 }
  }

  /// Mutual information `H(A) + H(B) - H(A,B)` in bits, from a joint histogram of `bins × bins` over 0…1; values
  /// beyond are counted at the ends. With 256 bins 8-bit grey values divided by 255 keep a bin each.
  public static func mutualInformation(_ a: Plane, _ b: Plane, bins: Int = 256, mask: [Bool]? = nil) -> Double
  {
    entropies(a, b, bins: bins, mask: mask).mutual
  }

  /// Normalised mutual information `(H(A) + H(B)) / H(A,B)`, 1…2 (Studholme, Hill and Hawkes, Pattern
  /// Recognition 32, 1999); 1 where both planes are constant.
  public static func normalizedMutualInformation(
    _ a: Plane, _ b: Plane, bins: Int = 256, mask: [Bool]? = nil
  ) -> Double {
    entropies(a, b, bins: bins, mask: mask).normalized
  }

  static func entropies(_ a: Plane, _ b: Plane, bins: Int, mask: [Bool]?) -> Entropies {
    precondition(bins > 0, "a histogram has bins")
    var joint = [Int](repeating: 0, count: bins * bins)
    joint.withUnsafeMutableBufferPointer { joint in
      forEachPair(a, b, mask) { x, y in joint[bin(x, bins) * bins + bin(y, bins)] += 1 }
    }
    let first = (0..<bins).map { row in joint[row * bins..<(row + 1) * bins].reduce(0, +) }
    let second = (0..<bins).map { column in
      stride(from: column, to: joint.count, by: bins).reduce(0) { $0 + joint[$1] }
    }
    return Entropies(first: entropy(first), second: entropy(second), joint: entropy(joint))
  }

  /// NaN counts as 0.
  private static func bin(_ value: Float, _ bins: Int) -> Int {
    value > 0 ? min(Int(min(value, 1) * Float(bins)), bins - 1) : 0
  }

  private static func entropy(_ counts: [Int]) -> Double {
    let total = Double(counts.reduce(0, +))
    return counts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / total
      return sum - share * log2(share)
    }
  }
}
