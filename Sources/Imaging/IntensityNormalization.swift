// From the values of a series to the network's 0…1 – a linear map with clamping, and how it was found.

/// Maps `[lower, upper]` linearly to `[0, 1]` and clamps.
public struct IntensityNormalization: Sendable, Hashable, Codable {
  public enum Method: String, Codable, Sendable {
    case window
    case percentiles
    case suvRange = "suv-range"
  }

  /// Share of the robust range that counts as air around the head in MR: t = t₂ + 0.1 · (t₉₈ - t₂), with the
  /// 2nd and 98th percentiles of all voxels (Smith, Human Brain Mapping 17, 2002, section 'Estimation of basic
  /// image parameters').
  public static let backgroundShare = 0.1
  /// Limits closer than this share of their size differ by rounding only.
  static let leastContrast: Float = 1e-6

  public let method: Method
  /// Value that becomes 0, in `unit`.
  public let lower: Float
  /// Value that becomes 1, in `unit`.
  public let upper: Float
  /// HU, SUVbw, BQML, counts or arbitrary.
  public let unit: String
  /// The two percentiles, where they were used.
  public let percentiles: [Double]?
  /// Values up to this were left out of the percentiles as background.
  public let backgroundThreshold: Float?

  /// Window centre and width as the interval `[centre - width/2, centre + width/2]`: VOI LUT Function LINEAR of
  /// PS3.3 C.11.2.1.2.1 without its shift by half a grey level, which has no meaning for real values.
  /// - Throws: `ImagingError.badLimits` when the width is not positive.
  public static func window(center: Double, width: Double, unit: String) throws(ImagingError) -> Self {
    guard center.isFinite, width.isFinite, width > 0 else {
      throw ImagingError(
        .badLimits, "a window of centre \(center) and width \(width) \(unit) is empty",
        hint: "give a positive width")
    }
    return try Self(.window, from: center - width / 2, to: center + width / 2, unit)
  }

  /// Range of standardised uptake values.
  /// - Throws: `ImagingError.badLimits` when the range is empty.
  public static func suvRange(
    lower: Double, upper: Double, unit: String = "SUVbw"
  ) throws(ImagingError) -> Self {
    guard lower.isFinite, upper.isFinite, upper > lower else {
      throw ImagingError(
        .badLimits, "the range \(lower) to \(upper) \(unit) is empty", hint: "give the lower first")
    }
    return try Self(.suvRange, from: lower, to: upper, unit)
  }

  /// Two percentiles (0…100) of the finite voxels, exact; with `ignoringBackground` of those above the air
  /// around the head.
  /// - Throws: `ImagingError`: `badLimits` for percentiles out of order, `noFiniteValues`, or `noContrast` when
  ///   both percentiles are the same value.
  public static func percentiles(
    of volume: Volume, low: Double, high: Double, unit: String, ignoringBackground: Bool
  ) throws(ImagingError) -> Self {
    guard low >= 0, low < high, high <= 100 else {
      throw ImagingError(
        .badLimits, "percentiles \(low) and \(high) are not in order within 0 to 100",
        hint: "for example 1 and 99.5")
    }
    var statistics = OrderStatistics(volume.voxels)
    var threshold: Float?
    if ignoringBackground, let robust = statistics.percentiles([2, 98]) {
      let (robustLow, robustHigh) = (robust[0], robust[1])
      let limit = Float(robustLow + backgroundShare * (robustHigh - robustLow))
      threshold = limit
      statistics = OrderStatistics(volume.voxels, above: limit)
      if statistics.count == 0 { throw noContrast(robustLow, robustHigh, unit, "2nd and 98th percentile") }
    }
    guard let limits = statistics.percentiles([low, high]) else {
      throw ImagingError(
        .noFiniteValues, "all \(volume.voxels.count) voxels are padding or not numbers",
        hint: "check the padding value and the rescale of the series")
    }
    return try Self(
      .percentiles, from: limits[0], to: limits[1], unit, percentiles: [low, high],
      backgroundThreshold: threshold)
  }

  /// This map with its lower limit raised to a share (0…1) of the upper one: weaker signal, such as counts scattered
  /// into the air around a patient, becomes 0. Limits that are higher, and maps of negative values, stay.
  /// - Throws: never for shares below 1.
  public func raised(to noiseFloor: Double) throws(ImagingError) -> Self {
    let floor = Double(upper) * noiseFloor
    guard upper > 0, floor > Double(lower) else { return self }
    return try Self(
      method, from: floor, to: Double(upper), unit, percentiles: percentiles,
      backgroundThreshold: backgroundThreshold)
  }

  private init(
    _ method: Method, from lower: Double, to upper: Double, _ unit: String, percentiles: [Double]? = nil,
    backgroundThreshold: Float? = nil
  ) throws(ImagingError) {
    let (low, high) = (Float(lower), Float(upper))
    guard high - low > Self.leastContrast * max(abs(low), abs(high)), (high - low).isFinite else {
      throw Self.noContrast(lower, upper, unit, "limits")
    }
    self.method = method
    self.lower = low
    self.upper = high
    self.unit = unit
    self.percentiles = percentiles
    self.backgroundThreshold = backgroundThreshold
  }

  private static func noContrast(_ lower: Double, _ upper: Double, _ unit: String, _ what: String)
    -> ImagingError
  {
    ImagingError(
      .noContrast, "the values have no contrast: the \(what) are \(lower) and \(upper) \(unit)",
      hint: "check that the series holds an image, or give a window")
  }

  /// The plane in 0…1; values that are not finite become 0.
  public func apply(_ plane: Plane) -> Plane {
    let scale = 1 / (upper - lower)
    var result = plane
    result.pixels.withUnsafeMutableBufferPointer { pixels in
      for index in pixels.indices {
        let value = (pixels[index] - lower) * scale
        pixels[index] = pixels[index].isFinite ? min(max(value, 0), 1) : 0
      }
    }
    return result
  }
}
