// Exact order statistics of many floats without sorting them.

/// Ranks of the finite values above a threshold, found by counting their bit patterns in two passes of 16 bits:
/// exact, deterministic and linear in the number of values.
struct OrderStatistics {
  private let values: [Float]
  private let threshold: Float
  /// How many values share the upper 16 bits of the order-preserving pattern, `[65536]`.
  private let coarse: [Int]
  /// Number of finite values above the threshold.
  let count: Int

  init(_ values: [Float], above threshold: Float = -.infinity) {
    self.values = values
    self.threshold = threshold
    coarse = Self.histogram(values, threshold) { Int($0 >> 16) }
    count = coarse.reduce(0, +)
  }

  /// Percentile 0…100, linear between neighbouring ranks as in numpy's default; nil without values.
  func percentile(_ percent: Double) -> Double? {
    guard count > 0 else { return nil }
    let position = percent / 100 * Double(count - 1)
    let low = Int(position)
    let lower = Double(value(rank: low))
    let fraction = position - Double(low)
    return fraction == 0 ? lower : lower + fraction * (Double(value(rank: low + 1)) - lower)
  }

  /// The value with `rank` smaller or equal ones before it.
  private func value(rank: Int) -> Float {
    var before = 0
    let upper = coarse.firstIndex { bin in
      if before + bin > rank { return true }
      before += bin
      return false
    }
    let prefix = UInt32(upper ?? 0)
    let fine = Self.histogram(values, threshold) { $0 >> 16 == prefix ? Int($0 & 0xffff) : -1 }
    let lower = fine.firstIndex { bin in
      if before + bin > rank { return true }
      before += bin
      return false
    }
    return Self.float(prefix << 16 | UInt32(lower ?? 0))
  }

  private static func histogram(_ values: [Float], _ threshold: Float, bin: (UInt32) -> Int) -> [Int] {
    var counts = [Int](repeating: 0, count: 1 << 16)
    values.withUnsafeBufferPointer { values in
      counts.withUnsafeMutableBufferPointer { counts in
        for value in values where value.isFinite && value > threshold {
          let index = bin(key(value))
          if index >= 0 { counts[index] += 1 }
        }
      }
    }
    return counts
  }

  /// Unsigned numbers in the order of the floats; both zeros are one value.
  private static func key(_ value: Float) -> UInt32 {
    let bits = (value == 0 ? 0 : value).bitPattern
    return bits >> 31 == 1 ? ~bits : bits | 1 << 31
  }

  private static func float(_ key: UInt32) -> Float {
    Float(bitPattern: key >> 31 == 1 ? key & ~(1 << 31) : ~key)
  }
}
