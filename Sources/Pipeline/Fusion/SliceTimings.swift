// Where the time of a slice went: told to the ledger, decides nothing.

/// Wall time of each stage of one slice, in seconds.
public struct SliceTimings: Codable, Hashable, Sendable {
  /// The moving series onto the grid of the slice, both normalised.
  public var resample = 0.0
  /// Encoder, alignment and decoder.
  public var network = 0.0
  /// Deciding whether the deformation may be used.
  public var judge = 0.0
  /// Field of view, colour and 8-bit pixels.
  public var compose = 0.0
  /// The object encoded, written, flushed and read back; absent where nothing was written.
  public var write: Double?
}

/// Seconds between one reading and the next, to the microsecond.
struct LapTimer {
  private var last = ContinuousClock.now

  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (((now - last) / .seconds(1)) * 1e6).rounded() / 1e6
  }
}
