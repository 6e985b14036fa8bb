// A made-up CT or MR slice as a DICOM file in memory, for measuring this machine – it shows nobody.

/// One square image of a synthetic series: what a reader needs and no more.
package struct SyntheticSlice {
  package enum Kind: String {
    case ct = "CT"
    case mr = "MR"

    /// CT and MR Image Storage (PS3.4 B.5).
    var sopClass: String { self == .ct ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.4" }
  }

  package let kind: Kind
  /// Pixels of the image's edge, and its length in mm.
  package let side: Int
  package let fieldOfView: Double
  package let index: Int
  /// Distance of successive slices, mm.
  package let spacing: Double
  /// Name of the study all UIDs are derived from.
  package let study: String
  /// Stored values, `[row][column]`, `side²` of them; CT: HU + 1024.
  package let pixels: [UInt16]

  package init(
    kind: Kind, side: Int, fieldOfView: Double, index: Int, spacing: Double, study: String, pixels: [UInt16]
  ) {
    precondition(pixels.count == side * side, "pixels fill the square")
    self.kind = kind
    self.side = side
    self.fieldOfView = fieldOfView
    self.index = index
    self.spacing = spacing
    self.study = study
    self.pixels = pixels
  }

  package var sopInstanceUID: String { UID.derived(from: [study, kind.rawValue, String(index)]) }

  /// The whole file, Explicit VR Little Endian.
  package func encoded() throws(DICOMError) -> [UInt8] {
    let set = try DatasetBuilder(subject: sopInstanceUID)
    try putIdentity(set)
    try putGeometry(set)
    try putPixels(set)
    return try set.encoded(
      implementationClassUID: SecondaryCapture.Product.implementationClassUID, versionName: "FUSELINE_BENCH")
  }

  private func putIdentity(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.sopClassUID, kind.sopClass)
    try set.put(.sopInstanceUID, sopInstanceUID)
    try set.put(.studyInstanceUID, UID.derived(from: [study]))
    try set.put(.seriesInstanceUID, UID.derived(from: [study, kind.rawValue]))
    try set.put(.frameOfReferenceUID, UID.derived(from: [study, "frame"]))
    try set.put(.imageType, "ORIGINAL\\PRIMARY\\AXIAL")
    try set.put(.modality, kind.rawValue)
    try set.put(.patientName, "Synthetic^Bench")
    try set.put(.patientID, "BENCH")
    try set.put(.patientBirthDate, nil)
    try set.put(.patientSex, "O")
    try set.put(.seriesDescription, "Synthetic \(kind.rawValue)")
    try set.put(.seriesNumber, kind == .ct ? 2 : 1)
    try set.put(.instanceNumber, index + 1)
    for date in [Tag.studyDate, .seriesDate, .contentDate] { try set.put(date, "20260101") }
    for time in [Tag.studyTime, .seriesTime, .contentTime] { try set.put(time, "120000") }
  }

  private func putGeometry(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    let pixel = fieldOfView / Double(side), corner = (pixel - fieldOfView) / 2
    try set.put(.imagePositionPatient, decimals: [corner, corner, Double(index) * spacing])
    try set.put(.imageOrientationPatient, "1\\0\\0\\0\\1\\0")
    try set.put(.pixelSpacing, decimals: [pixel, pixel])
    try set.put(.sliceThickness, decimals: [spacing])
    try set.put(.patientPosition, "HFS")
    try set.put(.rows, word: side)
    try set.put(.columns, word: side)
  }

  private func putPixels(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.samplesPerPixel, word: 1)
    try set.put(.photometricInterpretation, "MONOCHROME2")
    try set.put(.bitsAllocated, word: 16)
    try set.put(.bitsStored, word: 12)
    try set.put(.highBit, word: 11)
    try set.put(.pixelRepresentation, word: 0)
    if kind == .ct {
      try set.put(.rescaleIntercept, "-1024")
      try set.put(.rescaleSlope, "1")
      try set.put(.rescaleType, "HU")
    }
    try set.put(.grey16(pixels))
  }
}
