// How far a stack may be from ideal, each limit with its unit and why it is where it is.

/// Named tolerances of the geometry gate.
public enum GeometryTolerance {
  /// Largest difference of a direction cosine within one stack; 10⁻³ is about 0.06°, far above rounding and far
  /// below any intended change of angle.
  public static let orientation = 1e-3
  /// Largest difference of Pixel Spacing within one stack, mm: 512 pixels of it are half a millimetre.
  public static let pixelSpacing = 1e-3
  /// Slices closer than this along the normal, mm, are at one position; no scanner makes slices that thin.
  public static let samePosition = 0.05
  /// Distances that differ by no more than this, mm, are called even: positions are rounded to 0.01–0.1 mm.
  public static let evenSpacing = 0.1
  /// A distance over this multiple of the median is a gap; one missing slice makes it 2.
  public static let gapOverMedian = 1.5
  /// …unless neighbouring slices are so thick that they still touch: up to this multiple of Slice Thickness.
  public static let gapOverThickness = 1.1
  /// In-plane drift of the origins below this, mm over the whole stack, is rounding and no tilt.
  public static let drift = 0.1
  /// Coordinates beyond this, mm, are no position in a scanner.
  public static let farthestPosition = 1e5
  /// Pixel spacings outside this range, mm, are mistakes.
  public static let pixelSpacings = 1e-3...100.0
  /// Most voxels read into memory at once (2 GiB of Float).
  public static let mostVoxels = 1 << 29
}

extension DICOMError.Reason {
  public static let tooFewSlices = Self("too_few_slices")
  public static let mixedSeries = Self("mixed_series")
  public static let unsupportedSOPClass = Self("unsupported_sop_class")
  public static let localizer = Self("localizer")
  public static let mosaic = Self("mosaic")
  public static let notReconstructed = Self("not_reconstructed")
  public static let missingGeometry = Self("missing_geometry")
  public static let mixedFrameOfReference = Self("mixed_frame_of_reference")
  public static let mixedMatrix = Self("mixed_matrix")
  public static let mixedPixelSpacing = Self("mixed_pixel_spacing")
  public static let mixedOrientation = Self("mixed_orientation")
  public static let timeSeries = Self("time_series")
  public static let duplicatePositions = Self("duplicate_positions")
  public static let sliceGap = Self("slice_gap")
  public static let mixedUnits = Self("mixed_units")
  public static let tooLarge = Self("too_large")
  public static let changed = Self("changed_since_intake")
}
