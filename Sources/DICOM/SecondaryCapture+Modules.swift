// The capture's attributes, module by module in the order of PS3.3 table A.8-1; references are in the next file.

import Imaging

extension SecondaryCapture {
  /// General Series (C.7.3.1). The acquisition's protocol and performed procedure are not this series'.
  func writeSeries(_ set: borrowing DatasetBuilder, from fixed: borrowing DICOMFile) throws(DICOMError) {
    try set.put(.modality, identity.modality)
    try set.put(.seriesInstanceUID, identity.seriesInstanceUID)
    try set.put(.seriesNumber, identity.seriesNumber)
    try set.put(.seriesDescription, PlainText.line(identity.seriesDescription, limit: 64))
    if let date = dates.seriesDate { try set.put(.seriesDate, date) }
    if let time = dates.seriesTime { try set.put(.seriesTime, time) }
    try set.put(.patientPosition, place.patientPosition.flatMap(PlainText.code))
    let bodyPart = place.bodyPart.flatMap(PlainText.code)
    if let bodyPart { try set.put(.bodyPartExamined, bodyPart) }
    // Required of paired organs; left out it is right only where the body part shows that there is no pair.
    if fixed.word(.laterality) != nil {
      try set.copy(.laterality, from: fixed)
    } else if bodyPart == nil {
      try set.put(.laterality, nil)
    }
  }

  /// Frame of Reference (C.7.4.1) and Image Plane (C.7.6.2).
  func writeGeometry(_ set: borrowing DatasetBuilder, from fixed: borrowing DICOMFile) throws(DICOMError) {
    let grid = place.grid
    try set.put(.frameOfReferenceUID, place.frameOfReferenceUID)
    if try !set.copy(.positionReferenceIndicator, from: fixed) {
      try set.put(.positionReferenceIndicator, nil)
    }
    try set.put(.pixelSpacing, decimals: [grid.rowSpacing, grid.columnSpacing])
    try set.put(.imagePositionPatient, decimals: [grid.origin.x, grid.origin.y, grid.origin.z])
    let row = grid.rowDirection
    let column = grid.columnDirection
    try set.put(.imageOrientationPatient, decimals: [row.x, row.y, row.z, column.x, column.y, column.z])
    try set.put(.sliceThickness, decimals: place.sliceThickness.map { [$0] } ?? [])
  }

  /// General Equipment (C.7.5.1) and SC Equipment (C.8.6.1): this program, never the scanner.
  func writeEquipment(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.manufacturer, PlainText.line(product.manufacturer, limit: 64))
    try set.put(.manufacturerModelName, PlainText.line(product.modelName, limit: 64))
    try set.put(.softwareVersions, PlainText.line(product.version, limit: 64))
    try set.put(.conversionType, "WSD")
  }

  /// General Image (C.7.6.1), without its references.
  func writeImage(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.imageType, "DERIVED\\SECONDARY\\FUSED")
    try set.put(.instanceNumber, identity.instanceNumber)
    if let date = dates.contentDate { try set.put(.contentDate, date) }
    if let time = dates.contentTime { try set.put(.contentTime, time) }
    try set.put(.patientOrientation, place.grid.patientOrientation)
    try set.put(.burnedInAnnotation, "NO")
  }

  /// Image Pixel (C.7.6.3); for grey VOI LUT (C.11.2) and the identity presentation LUT (C.11.4).
  ///
  /// No rescale: fused values are neither HU nor SUV.
  func writePixels(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    let bits = pixels.bitsAllocated
    try set.put(.samplesPerPixel, word: pixels.samplesPerPixel)
    try set.put(.rows, word: place.grid.rows)
    try set.put(.columns, word: place.grid.columns)
    try set.put(.bitsAllocated, word: bits)
    try set.put(.bitsStored, word: bits)
    try set.put(.highBit, word: bits - 1)
    try set.put(.pixelRepresentation, word: 0)
    if pixels.samplesPerPixel == 3 {
      try set.put(.photometricInterpretation, "RGB")
      try set.put(.planarConfiguration, word: 0)
    } else {
      let range = Double(1 << bits)
      try set.put(.photometricInterpretation, "MONOCHROME2")
      try set.put(.windowCenter, decimals: [range / 2])
      try set.put(.windowWidth, decimals: [range])
      try set.put(.presentationLUTShape, "IDENTITY")
    }
    try set.put(pixels)
  }

  /// SOP Common (C.12.1). No Instance Creation Date: the moment of processing is the ledger's to tell.
  func writeSOPCommon(_ set: borrowing DatasetBuilder, from fixed: borrowing DICOMFile) throws(DICOMError) {
    try set.put(.sopClassUID, Self.sopClassUID)
    try set.put(.sopInstanceUID, identity.sopInstanceUID)
    try set.copy(.timezoneOffset, from: fixed)
  }
}

extension PlaneGrid {
  /// A direction cosine below this counts as none: 0.06° off the axis.
  private static let negligibleCosine = 0.001

  /// Patient Orientation (0020,0020): directions of row and column as letters, the longest component first
  /// (PS3.3 C.7.6.1.1.1).
  var patientOrientation: String {
    [rowDirection, columnDirection].map { direction in
      [(direction.x, "L", "R"), (direction.y, "P", "A"), (direction.z, "H", "F")]
        .filter { abs($0.0) > Self.negligibleCosine }
        .sorted { abs($0.0) > abs($1.0) }
        .map { $0.0 > 0 ? $0.1 : $0.2 }.joined()
    }.joined(separator: "\\")
  }
}

extension DatasetBuilder {
  /// Patient, Clinical Trial, General Study and Patient Study: as the fixed source has them.
  func copyPatientAndStudy(from fixed: borrowing DICOMFile) throws(DICOMError) {
    try copy(.specificCharacterSet, from: fixed)
    for tag in CopiedAttributes.required where try !copy(tag, from: fixed) { try put(tag, nil) }
    try copy(.studyInstanceUID, from: fixed)
    for tag in CopiedAttributes.optional(in: fixed) { try copy(tag, from: fixed) }
  }
}

/// Text of our own in objects whose character set is the source's: only what every character set has.
enum PlainText {
  /// One line of at most `limit` characters; anything but printable ASCII, and the backslash, becomes `?`.
  static func line(_ text: String, limit: Int) -> String {
    let bytes =
      text.utf8.count == text.count ? Array(text.utf8) : text.map { $0.asciiValue ?? UInt8(ascii: "?") }
    let plain = bytes.prefix(limit).map { byte in
      (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\\") ? byte : UInt8(ascii: "?")
    }
    return String(decoding: plain, as: UTF8.self)
  }

  /// A CS value (PS3.5 6.2) in capitals; nil for what cannot be one.
  static func code(_ text: String) -> String? {
    let code = text.uppercased()
    let allowed = code.utf8.allSatisfy { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: " ")
    }
    return allowed && (1...16).contains(code.utf8.count) ? code : nil
  }
}
