// One file's header: everything later stages decide on. It holds no pixels and no path.

/// The header of one SOP instance, as found; text is UTF-8, dates and times stay in DICOM's own form.
public struct Instance: Codable, Hashable, Sendable {
  public var sopInstanceUID: String
  public var sopClassUID: String
  public var transferSyntaxUID: String
  public var studyInstanceUID: String
  public var seriesInstanceUID: String
  public var frameOfReferenceUID: String?
  public var patient: Patient
  public var modality: String
  /// Is this an image of a SOP class this reader knows (`SOPClass`), its pixel data complete?
  public var isImage: Bool
  public var pixels: PixelDescription
  /// One entry a frame, in stored order; empty when not an image.
  public var frames: [FrameGeometry]

  public var seriesDescription: String?
  public var protocolName: String?
  public var studyDescription: String?
  public var bodyPartExamined: String?
  /// Patient Position (0018,5100), e.g. `HFS`.
  public var patientPosition: String?
  public var seriesNumber: Int?
  public var instanceNumber: Int?
  public var acquisitionNumber: Int?
  /// Image Type (0008,0008), e.g. `["ORIGINAL", "PRIMARY", "AXIAL"]`.
  public var imageType: [String] = []
  public var studyDate: String?
  public var studyTime: String?
  public var seriesDate: String?
  public var seriesTime: String?
  public var contentDate: String?
  public var contentTime: String?
  public var acquisitionDate: String?
  public var acquisitionTime: String?
  /// Timezone Offset From UTC (0008,0201), e.g. `+0100`.
  public var timezone: String?
  public var manufacturer: String?
  public var manufacturerModelName: String?
  /// Specific Character Set (0008,0005) as given.
  public var specificCharacterSet: [String] = []
  public var lossyImageCompression = false
  /// Contrast/Bolus Agent (0018,0010) has a value, or its sequence an item.
  public var hasContrastAgent = false
  /// Convolution Kernel (0018,1210) of a CT.
  public var convolutionKernel: String?
  /// Gantry/Detector Tilt (0018,1120), degrees.
  public var gantryTilt: Double?
  /// Spacing Between Slices (0018,0088), mm; in NM its sign is meant.
  public var spacingBetweenSlices: Double?
  /// Trigger Time (0018,1060), ms.
  public var triggerTime: Double?
  /// The image is a Siemens mosaic: many slices tiled into one frame.
  public var isMosaic = false
  /// Real World Value Mapping Sequence (0040,9096) is present.
  public var hasRealWorldValueMapping = false
  /// Modality LUT Sequence (0028,3000) is present: values need a table this reader does not apply.
  public var hasModalityLUT = false
  public var pet: PETHeader?
  public var mr: MRHeader?
  /// What a Spatial Registration object says; nil for everything else.
  public var registration: SpatialRegistration?

  /// A header with the facts every instance has; set the others afterwards.
  public init(
    sopInstanceUID: String, sopClassUID: String, transferSyntaxUID: String, studyInstanceUID: String,
    seriesInstanceUID: String, frameOfReferenceUID: String? = nil, patient: Patient, modality: String,
    isImage: Bool, pixels: PixelDescription, frames: [FrameGeometry]
  ) {
    self.sopInstanceUID = sopInstanceUID
    self.sopClassUID = sopClassUID
    self.transferSyntaxUID = transferSyntaxUID
    self.studyInstanceUID = studyInstanceUID
    self.seriesInstanceUID = seriesInstanceUID
    self.frameOfReferenceUID = frameOfReferenceUID
    self.patient = patient
    self.modality = modality
    self.isImage = isImage
    self.pixels = pixels
    self.frames = frames
  }
}
