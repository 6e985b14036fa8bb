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
    var coarse = [Int](repeating: 0, count: 1 << 16)
    Self.count(values, threshold, into: &coarse) { Int($0 >> 16) }
    self.coarse = coarse
    count = coarse.reduce(0, +)
  }

  /// Percentiles 0…100, linear between neighbouring ranks as in numpy's default; nil without values.
  func percentiles(_ percents: [Double]) -> [Double]? {
    guard count > 0 else { return nil }
    let positions = percents.map { $0 / 100 * Double(count - 1) }
    let found = values(ranks: positions.flatMap { [Int($0), min(Int($0) + 1, count - 1)] })
    return positions.enumerated().map { index, position in
      let (lower, upper) = (Double(found[2 * index]), Double(found[2 * index + 1]))
      let fraction = position - Double(Int(position))
      return fraction == 0 ? lower : lower + fraction * (upper - lower)
    }
  }

  func percentile(_ percent: Double) -> Double? { percentiles([percent])?[0] }

  /// The values with `ranks` smaller or equal ones before them; all from one more pass.
  private func values(ranks: [Int]) -> [Float] {
    let places = ranks.map { Self.place(of: $0, in: coarse[...]) }
    // Which of the fine tables a value of these upper bits goes to; 0: none.
    var table = [UInt8](repeating: 0, count: 1 << 16)
    var tables = 0
    for place in places where table[place.bin] == 0 {
      tables += 1
      table[place.bin] = UInt8(tables)
    }
    var fine = [Int](repeating: 0, count: tables << 16)
    table.withUnsafeBufferPointer { table in
      Self.count(values, threshold, into: &fine) { key in
        let which = Int(table[Int(key >> 16)])
        return which == 0 ? -1 : (which - 1) << 16 + Int(key & 0xffff)
      }
    }
    return places.map { place in
      let start = (Int(table[place.bin]) - 1) << 16
      let lower = Self.place(of: place.rest, in: fine[start..<start + 1 << 16]).bin - start
      return Self.float(UInt32(place.bin) << 16 | UInt32(lower))
    }
  }

  /// The bin that a rank falls into, and its rank there.
  private static func place(of rank: Int, in counts: ArraySlice<Int>) -> (bin: Int, rest: Int) {
    var rest = rank
    for bin in counts.indices {
      if rest < counts[bin] { return (bin, rest) }
      rest -= counts[bin]
    }
    return (counts.startIndex, 0)
  }

  private static func count(
    _ values: [Float], _ threshold: Float, into counts: inout [Int], bin: (UInt32) -> Int
  ) {
    values.withUnsafeBufferPointer { values in
      counts.withUnsafeMutableBufferPointer { counts in
        for value in values where value.isFinite && value > threshold {
          let index = bin(key(value))
          if index >= 0 { counts[index] += 1 }
        }
      }
    }
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
