// Where one frame lies in the patient and what its stored values mean; the same shape for classic and enhanced objects.

/// Plane and value mapping of one frame.
///
/// Filled from the Image Plane and Modality LUT modules (classic), from shared and per-frame functional groups
/// (enhanced), or from the NM Detector module (classic reconstructed SPECT).
public struct FrameGeometry: Codable, Hashable, Sendable {
  /// Image Position (Patient), mm, LPS: centre of the first pixel.
  public var position: SIMD3<Double>?
  /// Image Orientation (Patient): direction cosines of the rows, then of the columns; 6 numbers.
  public var orientation: [Double]?
  /// Pixel Spacing, mm: distance between rows, distance between columns.
  public var pixelSpacing: [Double]?
  /// Slice Thickness, mm.
  public var sliceThickness: Double?
  /// Rescale Slope: output units = slope · stored value + intercept (PS3.3 C.11.1.1.2).
  public var rescaleSlope: Double
  /// Rescale Intercept.
  public var rescaleIntercept: Double
  /// Rescale Type, e.g. `HU`, as given.
  public var rescaleType: String?
  /// Temporal Position Index or Identifier: which of several volumes in time.
  public var temporalIndex: Int?
  /// Stack ID of enhanced objects.
  public var stackID: String?
  /// Echo time of the frame, ms.
  public var echoTime: Double?
  /// Diffusion b-value, s/mm².
  public var diffusionBValue: Double?
  /// Frame Type (0008,9007) of enhanced objects, e.g. `["ORIGINAL", "PRIMARY", "M_FFE", "M"]`.
  public var frameType: [String] = []
  /// Were Rescale Slope and Intercept there? Without them a CT's values are not known to be HU.
  public var hasRescale = true
  /// Real World Value Mapping items of the frame; nil where there are none.
  public var realWorldValues: [RealWorldValue]?
  /// First Window Center and Window Width of the frame.
  public var windowCenter: Double?
  public var windowWidth: Double?

  public init(
    position: SIMD3<Double>? = nil, orientation: [Double]? = nil, pixelSpacing: [Double]? = nil,
    sliceThickness: Double? = nil, rescaleSlope: Double = 1, rescaleIntercept: Double = 0,
    rescaleType: String? = nil, temporalIndex: Int? = nil, stackID: String? = nil,
    echoTime: Double? = nil, windowCenter: Double? = nil, windowWidth: Double? = nil
  ) {
    self.position = position
    self.orientation = orientation
    self.pixelSpacing = pixelSpacing
    self.sliceThickness = sliceThickness
    self.rescaleSlope = rescaleSlope
    self.rescaleIntercept = rescaleIntercept
    self.rescaleType = rescaleType
    self.temporalIndex = temporalIndex
    self.stackID = stackID
    self.echoTime = echoTime
    self.windowCenter = windowCenter
    self.windowWidth = windowWidth
  }
}
