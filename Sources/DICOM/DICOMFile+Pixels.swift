// The pixels of an open file: their layout, whether all are there, and frames as stored values.

internal import CDCMTK

extension DICOMFile {
  /// Layout of the stored values; decodes nothing.
  ///
  /// Throws `missing_attribute`, `invalid_attribute` or `unsupported_pixels`.
  public func pixelDescription() throws(DICOMError) -> PixelDescription {
    var found = dk_pixels()
    try check(dk_describe_pixels(handle, &found))
    var pixels = PixelDescription(
      rows: Int(found.rows), columns: Int(found.columns), samplesPerPixel: Int(found.samples),
      bitsAllocated: Int(found.bits_allocated), bitsStored: Int(found.bits_stored),
      highBit: Int(found.high_bit), isSigned: found.is_signed != 0,
      photometricInterpretation: word(.photometricInterpretation) ?? "", frames: Int(found.frames))
    pixels.paddingValue = storedValue(.pixelPaddingValue, pixels)
    pixels.paddingRangeLimit = storedValue(.pixelPaddingRangeLimit, pixels)
    return pixels
  }

  /// A US-or-SS attribute holding a stored value. Implicit VR files are read as US, so the sign comes from the
  /// pixels' own representation.
  private func storedValue(_ tag: Tag, _ pixels: PixelDescription) -> Int? {
    guard let value = integer(tag) else { return nil }
    let limit = 1 << (pixels.bitsAllocated - 1)
    return pixels.isSigned && value >= limit && value < 2 * limit ? value - 2 * limit : value
  }

  /// Is the pixel data of every frame there? Decodes nothing: native data by its length, encapsulated data by
  /// its fragments.
  ///
  /// Throws `missing_pixel_data`, `damaged`, `unsupported_ts`, `unsupported_pixels` or what
  /// `pixelDescription()` throws.
  public func checkPixels() throws(DICOMError) {
    try check(dk_check_pixels(handle))
  }

  /// Decodes frame `frame` (0-based) into stored values, axis order `[row][column][sample]`, each of
  /// Bits Allocated / 8 bytes in machine order, masked to Bits Stored and sign-extended.
  ///
  /// `bytes` is resized to one frame; pass the same array again to spare the allocation.
  public func decode(frame: Int, of pixels: PixelDescription, into bytes: inout [UInt8]) throws(DICOMError) {
    let size = pixels.frameBytes
    if bytes.count != size { bytes = [UInt8](repeating: 0, count: size) }
    try check(dk_frame(handle, Int32(clamping: frame), &bytes, size))
  }
}

extension PixelDescription {
  /// Bytes of one decoded frame. The shim limits each factor, so this does not overflow.
  var frameBytes: Int { rows * columns * samplesPerPixel * (bitsAllocated / 8) }
}
