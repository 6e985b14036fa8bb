// A registration found here as a Spatial Registration object: all that it says, and how it becomes a file.

/// A Spatial Registration (SOP class 1.2.840.10008.5.1.4.1.1.66.1, PS3.3 A.39.1) of two frames of reference.
///
/// It has no clock and draws nothing at random: the same value gives the same bytes. Patient and study are copied from
/// the file of `fixed` as they are stored there.
public struct RegistrationObject: Sendable {
  public var sopInstanceUID: String
  public var seriesInstanceUID: String
  /// IS.
  public var seriesNumber: Int
  /// Frame of reference of the fixed series: the registered coordinate system.
  public var fixedFrameUID: String
  /// Frame of reference of the moving series.
  public var movingFrameUID: String
  /// Positions of the moving frame to the fixed one: 4×4, row-major, mm, the last row 0 0 0 1 (C.20.2.1.1).
  public var movingToFixed: [Double]
  /// Series and content dates, of the sources.
  public var dates: SecondaryCapture.Dates
  /// Whose patient and study the object keeps.
  public var fixed: SecondaryCapture.Source
  /// All instances of the fixed and of the moving series.
  public var fixedSources: [SecondaryCapture.Source]
  public var movingSources: [SecondaryCapture.Source]
  /// LO: how the matrix was found, for people; at most 64 characters.
  public var comment: String
  public var product: SecondaryCapture.Product

  public init(
    sopInstanceUID: String, seriesInstanceUID: String, seriesNumber: Int, fixedFrameUID: String,
    movingFrameUID: String, movingToFixed: [Double], dates: SecondaryCapture.Dates,
    fixed: SecondaryCapture.Source, fixedSources: [SecondaryCapture.Source],
    movingSources: [SecondaryCapture.Source], comment: String, product: SecondaryCapture.Product
  ) {
    precondition(movingToFixed.count == 16, "a 4×4 matrix")
    self.sopInstanceUID = sopInstanceUID
    self.seriesInstanceUID = seriesInstanceUID
    self.seriesNumber = seriesNumber
    self.fixedFrameUID = fixedFrameUID
    self.movingFrameUID = movingFrameUID
    self.movingToFixed = movingToFixed
    self.dates = dates
    self.fixed = fixed
    self.fixedSources = fixedSources
    self.movingSources = movingSources
    self.comment = comment
    self.product = product
  }

  private static let identity: [Double] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]

  /// The whole file: preamble, meta information and data set in Explicit VR Little Endian.
  ///
  /// Throws what opening the fixed file throws, `source_changed` when that is another instance than said, and
  /// `invalid_attribute` when an attribute cannot hold what it should.
  public func encoded() throws(DICOMError) -> [UInt8] {
    let file = try fixed.opened()
    let set = try DatasetBuilder(subject: sopInstanceUID)
    try set.copyPatientAndStudy(from: file)
    try writeSeries(set, from: file)
    try writeRegistration(set)
    try set.putInstanceReferences(to: fixedSources + movingSources, study: fixed.studyInstanceUID)
    try set.put(.sopClassUID, SOPClass.spatialRegistration)
    try set.put(.sopInstanceUID, sopInstanceUID)
    try set.copy(.timezoneOffset, from: file)
    return try set.encoded(
      implementationClassUID: SecondaryCapture.Product.implementationClassUID,
      versionName: product.implementationVersionName)
  }

  /// General Series, Frame of Reference, General and Enhanced General Equipment.
  private func writeSeries(_ set: borrowing DatasetBuilder, from file: borrowing DICOMFile) throws(DICOMError)
  {
    try set.put(.modality, "REG")
    try set.put(.seriesInstanceUID, seriesInstanceUID)
    try set.put(.seriesNumber, seriesNumber)
    try set.put(.seriesDescription, "Registration by voxels - NOT FOR PRIMARY DIAGNOSIS")
    if let date = dates.seriesDate { try set.put(.seriesDate, date) }
    if let time = dates.seriesTime { try set.put(.seriesTime, time) }
    let bodyPart = try set.copy(.bodyPartExamined, from: file)
    // As in a capture: left out it is right only where the body part shows that there is no pair.
    if try !set.copy(.laterality, from: file), !bodyPart { try set.put(.laterality, nil) }
    try set.put(.frameOfReferenceUID, fixedFrameUID)
    if try !set.copy(.positionReferenceIndicator, from: file) {
      try set.put(.positionReferenceIndicator, nil)
    }
    try set.put(.manufacturer, PlainText.line(product.manufacturer, limit: 64))
    try set.put(.manufacturerModelName, PlainText.line(product.modelName, limit: 64))
    try set.put(.softwareVersions, PlainText.line(product.version, limit: 64))
    // Type 1 of Enhanced General Equipment; a program has no serial number but its version.
    try set.put(.deviceSerialNumber, PlainText.line(product.version, limit: 64))
  }

  /// Spatial Registration (C.20.2): one item a frame of reference, the registered one's with the identity.
  private func writeRegistration(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.contentDate, dates.contentDate)
    // Both are type 1; a source that tells no time has none of its day.
    try set.put(.contentTime, dates.contentTime ?? "000000")
    try set.put(.instanceNumber, 1)
    try set.put(.contentLabel, "REGISTRATION")
    try set.put(.contentDescription, PlainText.line(comment, limit: 64))
    try set.put(.contentCreatorName, nil)
    try writeItem(set, fixedFrameUID, Self.identity, .frameOfReferenceIdentity, fixedSources)
    try writeItem(set, movingFrameUID, movingToFixed, .imageContentAlignment, movingSources)
  }

  private func writeItem(
    _ set: borrowing DatasetBuilder, _ frame: String, _ matrix: [Double], _ type: Code,
    _ sources: [SecondaryCapture.Source]
  ) throws(DICOMError) {
    try set.item(.registrationSequence) { () throws(DICOMError) in
      try set.put(.frameOfReferenceUID, frame)
      for source in sources {
        try set.item(.referencedImageSequence) { () throws(DICOMError) in
          try set.put(.referencedSOPClassUID, source.sopClassUID)
          try set.put(.referencedSOPInstanceUID, source.sopInstanceUID)
        }
      }
      try set.item(.matrixRegistrationSequence) { () throws(DICOMError) in
        try set.item(.registrationTypeCodeSequence, type)
        try set.item(.matrixSequence) { () throws(DICOMError) in
          try set.put(.frameOfReferenceTransformationMatrixType, "RIGID")
          try set.put(.frameOfReferenceTransformationMatrix, decimals: matrix)
        }
      }
    }
  }
}
