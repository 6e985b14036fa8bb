// Similarity of planes whose contrasts differ: what one tells about the other.

internal import CKernels
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
    let joint = histogram(a, b, bins: bins, mask: mask)
    let first = (0..<bins).map { row in joint[row * bins..<(row + 1) * bins].reduce(0, +) }
    let second = (0..<bins).map { column in
      stride(from: column, to: joint.count, by: bins).reduce(0) { $0 + joint[$1] }
    }
    return Entropies(first: entropy(first), second: entropy(second), joint: entropy(joint))
  }

  /// Pairs of values, `[bins][bins]`; NaN counts as 0.
  private static func histogram(_ a: Plane, _ b: Plane, bins: Int, mask: [Bool]?) -> [Int] {
    precondition(a.columns == b.columns && a.rows == b.rows, "planes of one size are compared")
    precondition(mask.map { $0.count == a.pixels.count } ?? true, "a mask covers the plane")
    let size = bins * bins, count = a.pixels.count
    var counts = [UInt32](repeating: 0, count: 2 * (size + 1))
    if let mask {
      fk_count_joint(a.pixels, b.pixels, mask, count, Int32(bins), &counts, fk_best_isa())
    } else {
      fk_count_joint(a.pixels, b.pixels, nil, count, Int32(bins), &counts, fk_best_isa())
    }
    return (0..<size).map { Int(counts[$0]) + Int(counts[size + 1 + $0]) }
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
