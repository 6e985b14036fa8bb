// Standard colour maps for nuclear medicine: a grey value in, a colour out – no windowing.

/// A well-known colour palette of DICOM (PS3.6 Annex B), 256 entries of 8 bits.
public struct ColourTable: Sendable, Hashable {
  /// Name in settings, e.g. `hot-iron`.
  public let name: String
  /// SOP Instance UID of the palette in PS3.6 Annex B.
  public let uid: String
  /// Red, green, blue of each of the 256 grey values.
  public let entries: [SIMD3<UInt8>]

  /// Names that `named(_:)` knows.
  public static let names = [hotIron, pet, hotMetalBlue, pet20Step].map(\.name)

  /// The palette of that name, or nil.
  public static func named(_ name: String) -> ColourTable? {
    [hotIron, pet, hotMetalBlue, pet20Step].first { $0.name == name }
  }

  /// Colour (0…1) of a grey value (0…1, clamped; NaN as 0), as if it were stored in 8 bits.
  public func rgb(_ value: Float) -> SIMD3<Float> {
    let index = value > 0 ? Int((min(value, 1) * 255).rounded()) : 0
    let entry = entries[index]
    return SIMD3(Float(entry.x), Float(entry.y), Float(entry.z)) / 255
  }

  /// Piecewise linear in each channel, between knots (grey value, intensity), rounded half up.
  init(name: String, uid: String, red: [(Int, Int)], green: [(Int, Int)], blue: [(Int, Int)]) {
    let channels = [red, green, blue].map(Self.ramp)
    self.init(
      name: name, uid: uid,
      entries: (0..<256).map { SIMD3(channels[0][$0], channels[1][$0], channels[2][$0]) })
  }

  init(name: String, uid: String, entries: [SIMD3<UInt8>]) {
    self.name = name
    self.uid = uid
    self.entries = entries
  }

  private static func ramp(_ knots: [(Int, Int)]) -> [UInt8] {
    var values: [UInt8] = [UInt8(knots[0].1)]
    for (from, to) in zip(knots, knots.dropFirst()) {
      let width = to.0 - from.0
      for step in 1...width {
        values.append(UInt8((2 * (from.1 * width + (to.1 - from.1) * step) + width) / (2 * width)))
      }
    }
    return values
  }
}
