// How raw values become 0…1 for the joint histogram – chosen from the image alone, no unit or modality known.

internal import CKernels
import Imaging

/// Where air ends and how the values of tissue are spread over the bins.
///
/// The threshold is Otsu's (IEEE Trans. SMC 9, 1979) on a regular subsample. Below it values take the lowest tenth; above
/// it half of the position is linear between the threshold and the 99.5th percentile and half is the value's rank, so that
/// soft tissue, a fortieth of the range of a CT, does not fall into one bin.
struct IntensityMap {
  /// About this many values are looked at.
  static let sampled = 1 << 17
  static let airShare = 0.1
  static let linearShare = 0.5
  static let knots = 1024
  static let lowPercentile = 0.001
  static let highPercentile = 0.995

  let threshold: Float
  let lower: Float
  let upper: Float
  let table: [Float]

  /// Nil where the values have no contrast.
  init?(_ values: [Float]) {
    let step = max(1, values.count / Self.sampled)
    let sorted = stride(from: 0, to: values.count, by: step).map { values[$0] }.filter(\.isFinite).sorted()
    guard let low = Self.quantile(sorted[...], Self.lowPercentile), let split = Self.otsu(sorted),
      let high = Self.quantile(sorted[split...], Self.highPercentile), sorted[split] > low,
      high > sorted[split]
    else { return nil }
    let tissue = Array(sorted[split...])
    threshold = sorted[split]
    lower = low
    upper = high
    let edge = Double(threshold)
    table = (0..<Self.knots).map { knot in
      let value = Double(low) + Double(high - low) * Double(knot) / Double(Self.knots - 1)
      guard value > edge else {
        return Float(Self.airShare * (value - Double(low)) / (edge - Double(low)))
      }
      let linear = (value - edge) / (Double(high) - edge)
      let rank = Double(Self.lowerBound(tissue, Float(value))) / Double(tissue.count) / Self.highPercentile
      let mixed = Self.linearShare * linear + (1 - Self.linearShare) * min(rank, 1)
      return Float(Self.airShare + (1 - Self.airShare) * mixed)
    }
  }

  /// Where the mapped threshold lies.
  static let mappedThreshold = Float(airShare)

  func apply(_ field: RawField, isa: fk_isa) -> Field {
    let rate = Float(Self.knots - 1) / (upper - lower)
    let values = [Float](unsafeUninitializedCapacity: field.values.count) { out, count in
      guard let out = out.baseAddress else { return }
      fk_map_values(field.values, Int64(field.values.count), lower, rate, table, Int32(Self.knots), out, isa)
      count = field.values.count
    }
    return Field(geometry: field.geometry, values: values)
  }

  private static func quantile(_ sorted: ArraySlice<Float>, _ share: Double) -> Float? {
    sorted.isEmpty ? nil : sorted[sorted.startIndex + Int(share * Double(sorted.count - 1))]
  }

  /// Index of the first element above the split of greatest variance between both sides.
  private static func otsu(_ sorted: [Float]) -> Int? {
    guard let high = quantile(sorted[...], highPercentile) else { return nil }
    let clipped = sorted.map { Double(min($0, high)) }
    let total = clipped.reduce(0, +)
    var (sum, best, split) = (0.0, 0.0, -1)
    for index in 1..<max(1, clipped.count) {
      sum += clipped[index - 1]
      guard clipped[index] > clipped[index - 1] else { continue }
      let (n, m) = (Double(index), Double(clipped.count - index))
      let gap = sum / n - (total - sum) / m
      let between = n * m * gap * gap
      if between > best { (best, split) = (between, index) }
    }
    return split > 0 ? split : nil
  }

  /// Number of elements below a value.
  private static func lowerBound(_ sorted: [Float], _ value: Float) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
