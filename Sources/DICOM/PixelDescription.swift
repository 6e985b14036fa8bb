// The Image Pixel module of an instance (PS3.3 C.7.6.3): how its stored values are laid out, not the values.

/// Layout of the stored pixel values of one instance.
public struct PixelDescription: Codable, Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  public var samplesPerPixel: Int
  public var bitsAllocated: Int
  public var bitsStored: Int
  public var highBit: Int
  public var isSigned: Bool
  /// Photometric Interpretation, e.g. `MONOCHROME2`.
  public var photometricInterpretation: String
  public var frames: Int
  /// Pixel Padding Value (0028,0120), a stored value.
  public var paddingValue: Int?
  /// Pixel Padding Range Limit (0028,0121), a stored value; with `paddingValue` an inclusive range.
  public var paddingRangeLimit: Int?

  public init(
    rows: Int, columns: Int, samplesPerPixel: Int = 1, bitsAllocated: Int = 16, bitsStored: Int = 16,
    highBit: Int = 15, isSigned: Bool = false, photometricInterpretation: String = "MONOCHROME2",
    frames: Int = 1, paddingValue: Int? = nil, paddingRangeLimit: Int? = nil
  ) {
    self.rows = rows
    self.columns = columns
    self.samplesPerPixel = samplesPerPixel
    self.bitsAllocated = bitsAllocated
    self.bitsStored = bitsStored
    self.highBit = highBit
    self.isSigned = isSigned
    self.photometricInterpretation = photometricInterpretation
    self.frames = frames
    self.paddingValue = paddingValue
    self.paddingRangeLimit = paddingRangeLimit
  }

  /// `MONOCHROME1` or `MONOCHROME2`, one sample a pixel: what can be fused.
  public var isGrey: Bool {
    samplesPerPixel == 1 && ["MONOCHROME1", "MONOCHROME2"].contains(photometricInterpretation)
  }
}
