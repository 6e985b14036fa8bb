// Attribute tags this program reads, by their standard keywords (PS3.6), and paths through sequences.

/// A data element tag.
public struct Tag: Hashable, Sendable, CustomStringConvertible {
  public let group: UInt16
  public let element: UInt16
  /// `(gggg,eeee)`, the form the shim's paths use.
  public let description: String

  public init(_ group: UInt16, _ element: UInt16) {
    self.group = group
    self.element = element
    func hex(_ value: UInt16) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 4 - digits.count) + digits
    }
    description = "(\(hex(group)),\(hex(element)))"
  }
}

/// Where an attribute is looked up: the data set itself or an item of a sequence, to any depth.
public struct ItemPath: Hashable, Sendable {
  let prefix: String

  /// The data set itself.
  public static let root = ItemPath(prefix: "")

  /// Item `index` (0-based) of the sequence `tag`.
  public func item(_ tag: Tag, _ index: Int = 0) -> ItemPath {
    ItemPath(prefix: "\(prefix)\(tag.description)[\(index)].")
  }

  func attribute(_ tag: Tag) -> String { prefix + tag.description }
}

extension Tag {
  static let mediaStorageSOPClassUID = Tag(0x0002, 0x0002)
  static let mediaStorageSOPInstanceUID = Tag(0x0002, 0x0003)
  static let specificCharacterSet = Tag(0x0008, 0x0005)
  static let imageType = Tag(0x0008, 0x0008)
  static let sopClassUID = Tag(0x0008, 0x0016)
  static let sopInstanceUID = Tag(0x0008, 0x0018)
  static let studyDate = Tag(0x0008, 0x0020)
  static let seriesDate = Tag(0x0008, 0x0021)
  static let acquisitionDate = Tag(0x0008, 0x0022)
  static let contentDate = Tag(0x0008, 0x0023)
  static let acquisitionDateTime = Tag(0x0008, 0x002A)
  static let studyTime = Tag(0x0008, 0x0030)
  static let seriesTime = Tag(0x0008, 0x0031)
  static let acquisitionTime = Tag(0x0008, 0x0032)
  static let contentTime = Tag(0x0008, 0x0033)
  static let modality = Tag(0x0008, 0x0060)
  static let manufacturer = Tag(0x0008, 0x0070)
  static let timezoneOffset = Tag(0x0008, 0x0201)
  static let studyDescription = Tag(0x0008, 0x1030)
  static let seriesDescription = Tag(0x0008, 0x103E)
  static let manufacturerModelName = Tag(0x0008, 0x1090)
  static let frameType = Tag(0x0008, 0x9007)
  static let patientName = Tag(0x0010, 0x0010)
  static let patientID = Tag(0x0010, 0x0020)
  static let issuerOfPatientID = Tag(0x0010, 0x0021)
  static let patientBirthDate = Tag(0x0010, 0x0030)
  static let patientSex = Tag(0x0010, 0x0040)
  static let patientWeight = Tag(0x0010, 0x1030)
  static let contrastBolusAgent = Tag(0x0018, 0x0010)
  static let contrastBolusAgentSequence = Tag(0x0018, 0x0012)
  static let bodyPartExamined = Tag(0x0018, 0x0015)
  static let scanningSequence = Tag(0x0018, 0x0020)
  static let sequenceVariant = Tag(0x0018, 0x0021)
  static let mrAcquisitionType = Tag(0x0018, 0x0023)
  static let sequenceName = Tag(0x0018, 0x0024)
  static let sliceThickness = Tag(0x0018, 0x0050)
  static let repetitionTime = Tag(0x0018, 0x0080)
  static let echoTime = Tag(0x0018, 0x0081)
  static let inversionTime = Tag(0x0018, 0x0082)
  static let echoNumbers = Tag(0x0018, 0x0086)
  static let spacingBetweenSlices = Tag(0x0018, 0x0088)
  static let protocolName = Tag(0x0018, 0x1030)
  static let triggerTime = Tag(0x0018, 0x1060)
  static let radiopharmaceuticalStartTime = Tag(0x0018, 0x1072)
  static let radionuclideTotalDose = Tag(0x0018, 0x1074)
  static let radionuclideHalfLife = Tag(0x0018, 0x1075)
  static let radiopharmaceuticalStartDateTime = Tag(0x0018, 0x1078)
  static let gantryTilt = Tag(0x0018, 0x1120)
  static let convolutionKernel = Tag(0x0018, 0x1210)
  static let actualFrameDuration = Tag(0x0018, 0x1242)
  static let flipAngle = Tag(0x0018, 0x1314)
  static let patientPosition = Tag(0x0018, 0x5100)
  static let echoPlanarPulseSequence = Tag(0x0018, 0x9018)
  static let effectiveEchoTime = Tag(0x0018, 0x9082)
  static let diffusionBValue = Tag(0x0018, 0x9087)
  static let mrEchoSequence = Tag(0x0018, 0x9114)
  static let mrDiffusionSequence = Tag(0x0018, 0x9117)
  static let mrImageFrameTypeSequence = Tag(0x0018, 0x9226)
  static let ctImageFrameTypeSequence = Tag(0x0018, 0x9329)
  static let petFrameTypeSequence = Tag(0x0018, 0x9751)
  static let decayCorrectionDateTime = Tag(0x0018, 0x9701)
  static let decayCorrected = Tag(0x0018, 0x9758)
  static let attenuationCorrected = Tag(0x0018, 0x9759)
  static let studyInstanceUID = Tag(0x0020, 0x000D)
  static let seriesInstanceUID = Tag(0x0020, 0x000E)
  static let seriesNumber = Tag(0x0020, 0x0011)
  static let acquisitionNumber = Tag(0x0020, 0x0012)
  static let instanceNumber = Tag(0x0020, 0x0013)
  static let imagePositionPatient = Tag(0x0020, 0x0032)
  static let imageOrientationPatient = Tag(0x0020, 0x0037)
  static let frameOfReferenceUID = Tag(0x0020, 0x0052)
  static let temporalPositionIdentifier = Tag(0x0020, 0x0100)
  static let stackID = Tag(0x0020, 0x9056)
  static let frameContentSequence = Tag(0x0020, 0x9111)
  static let planePositionSequence = Tag(0x0020, 0x9113)
  static let planeOrientationSequence = Tag(0x0020, 0x9116)
  static let temporalPositionIndex = Tag(0x0020, 0x9128)
  static let photometricInterpretation = Tag(0x0028, 0x0004)
  static let pixelSpacing = Tag(0x0028, 0x0030)
  static let correctedImage = Tag(0x0028, 0x0051)
  static let pixelPaddingValue = Tag(0x0028, 0x0120)
  static let pixelPaddingRangeLimit = Tag(0x0028, 0x0121)
  static let windowCenter = Tag(0x0028, 0x1050)
  static let windowWidth = Tag(0x0028, 0x1051)
  static let rescaleIntercept = Tag(0x0028, 0x1052)
  static let rescaleSlope = Tag(0x0028, 0x1053)
  static let rescaleType = Tag(0x0028, 0x1054)
  static let lossyImageCompression = Tag(0x0028, 0x2110)
  static let modalityLUTSequence = Tag(0x0028, 0x3000)
  static let pixelMeasuresSequence = Tag(0x0028, 0x9110)
  static let frameVOILUTSequence = Tag(0x0028, 0x9132)
  static let pixelValueTransformationSequence = Tag(0x0028, 0x9145)
  static let measurementUnitsCodeSequence = Tag(0x0040, 0x08EA)
  static let realWorldValueMappingSequence = Tag(0x0040, 0x9096)
  static let realWorldValueLastValueMapped = Tag(0x0040, 0x9211)
  static let realWorldValueLUTData = Tag(0x0040, 0x9212)
  static let realWorldValueFirstValueMapped = Tag(0x0040, 0x9216)
  static let realWorldValueIntercept = Tag(0x0040, 0x9224)
  static let realWorldValueSlope = Tag(0x0040, 0x9225)
  static let energyWindowVector = Tag(0x0054, 0x0010)
  static let radiopharmaceuticalInformationSequence = Tag(0x0054, 0x0016)
  static let detectorVector = Tag(0x0054, 0x0020)
  static let detectorInformationSequence = Tag(0x0054, 0x0022)
  static let timeSlotVector = Tag(0x0054, 0x0070)
  static let sliceVector = Tag(0x0054, 0x0080)
  static let seriesType = Tag(0x0054, 0x1000)
  static let units = Tag(0x0054, 0x1001)
  static let suvType = Tag(0x0054, 0x1006)
  static let attenuationCorrectionMethod = Tag(0x0054, 0x1101)
  static let decayCorrection = Tag(0x0054, 0x1102)
  static let frameReferenceTime = Tag(0x0054, 0x1300)
  static let deformableRegistrationSequence = Tag(0x0064, 0x0002)
  static let sourceFrameOfReferenceUID = Tag(0x0064, 0x0003)
  static let registrationSequence = Tag(0x0070, 0x0308)
  static let matrixRegistrationSequence = Tag(0x0070, 0x0309)
  static let matrixSequence = Tag(0x0070, 0x030A)
  static let frameOfReferenceTransformationMatrixType = Tag(0x0070, 0x030C)
  static let frameOfReferenceTransformationMatrix = Tag(0x3006, 0x00C6)
  static let sharedFunctionalGroups = Tag(0x5200, 0x9229)
  static let perFrameFunctionalGroups = Tag(0x5200, 0x9230)
}
