// One file to one header: parse to the end, check that the pixels are complete, decode none.

/// Reads the header of a DICOM file.
public enum InstanceReader {
  /// Parses the whole file and returns its header.
  ///
  /// For images (`SOPClass.isImage`) the pixel data is checked to be complete; other objects come back with
  /// `isImage == false` and no frames, registrations with what they say. Throws what `DICOMFile` throws, `missing_attribute` and
  /// `invalid_attribute` for a header that cannot be relied on.
  public static func read(path: String) throws(DICOMError) -> Instance {
    let file = try DICOMFile(path: path)
    guard let sopClass = file.word(.sopClassUID) ?? file.word(.mediaStorageSOPClassUID) else {
      throw file.missing(.sopClassUID, "SOP Class UID")
    }
    var instance = Instance(
      sopInstanceUID: try file.uid(.sopInstanceUID, or: .mediaStorageSOPInstanceUID, "SOP Instance UID"),
      sopClassUID: sopClass, transferSyntaxUID: try file.transferSyntax(), studyInstanceUID: "",
      seriesInstanceUID: "", frameOfReferenceUID: file.word(.frameOfReferenceUID), patient: file.patient(),
      modality: file.word(.modality) ?? "", isImage: SOPClass.isImage(sopClass),
      pixels: PixelDescription(rows: 0, columns: 0, frames: 0), frames: [])
    guard instance.isImage else {
      instance.studyInstanceUID = file.word(.studyInstanceUID) ?? ""
      instance.seriesInstanceUID = file.word(.seriesInstanceUID) ?? ""
      file.describe(&instance)
      if SOPClass.isRegistration(sopClass) {
        instance.registration = try file.spatialRegistration(sopClass: sopClass)
      }
      return instance
    }
    instance.studyInstanceUID = try file.uid(.studyInstanceUID, "Study Instance UID")
    instance.seriesInstanceUID = try file.uid(.seriesInstanceUID, "Series Instance UID")
    try file.checkPixels()
    instance.pixels = try file.pixelDescription()
    file.describe(&instance)
    instance.frames = try file.frameGeometries(of: instance)
    if instance.modality == "PT" { instance.pet = try file.petHeader() }
    if instance.modality == "MR" { instance.mr = file.mrHeader() }
    return instance
  }
}

extension DICOMFile {
  fileprivate func missing(_ tag: Tag, _ name: String) -> DICOMError {
    DICOMError(.missingAttribute, subject: path, detail: "\(name) \(tag) has no value")
  }

  /// A UID that will name files: it has to be one (`UID.isSafe`).
  fileprivate func uid(_ tag: Tag, or other: Tag? = nil, _ name: String) throws(DICOMError) -> String {
    guard let found = word(tag) ?? other.flatMap({ word($0) }) else { throw missing(tag, name) }
    guard UID.isSafe(found) else {
      throw DICOMError(.invalidAttribute, subject: path, detail: "\(name) \(tag) is not a UID")
    }
    return found
  }

  fileprivate func patient() -> Patient {
    Patient(
      patientID: word(.patientID), issuerOfPatientID: word(.issuerOfPatientID), name: word(.patientName),
      birthDate: word(.patientBirthDate), sex: word(.patientSex))
  }

  /// Everything that describes without deciding: nonsense in here makes a field nil, not the file unusable.
  fileprivate func describe(_ instance: inout Instance) {
    instance.seriesDescription = word(.seriesDescription)
    instance.protocolName = word(.protocolName)
    instance.studyDescription = word(.studyDescription)
    instance.bodyPartExamined = word(.bodyPartExamined)
    instance.patientPosition = word(.patientPosition)
    instance.seriesNumber = integer(.seriesNumber)
    instance.instanceNumber = integer(.instanceNumber)
    instance.acquisitionNumber = integer(.acquisitionNumber)
    instance.imageType = words(.imageType)
    instance.manufacturer = word(.manufacturer)
    instance.manufacturerModelName = word(.manufacturerModelName)
    instance.specificCharacterSet = words(.specificCharacterSet)
    instance.lossyImageCompression = word(.lossyImageCompression) == "01"
    instance.hasContrastAgent = word(.contrastBolusAgent) != nil || items(.contrastBolusAgentSequence) > 0
    instance.convolutionKernel = word(.convolutionKernel)
    instance.gantryTilt = optionalNumber(.gantryTilt)
    instance.spacingBetweenSlices = optionalNumber(.spacingBetweenSlices)
    instance.triggerTime = optionalNumber(.triggerTime)
    instance.isMosaic = instance.imageType.contains("MOSAIC") || siemensMosaicTag() != nil
    instance.hasRealWorldValueMapping = items(.realWorldValueMappingSequence) > 0
    instance.hasModalityLUT = items(.modalityLUTSequence) > 0
    describeTimes(&instance)
  }

  private func describeTimes(_ instance: inout Instance) {
    instance.studyDate = word(.studyDate)
    instance.studyTime = word(.studyTime)
    instance.seriesDate = word(.seriesDate)
    instance.seriesTime = word(.seriesTime)
    instance.contentDate = word(.contentDate)
    instance.contentTime = word(.contentTime)
    instance.acquisitionDate = word(.acquisitionDate)
    instance.acquisitionTime = word(.acquisitionTime)
    instance.timezone = word(.timezoneOffset)
    // Enhanced objects have the combined form only.
    if instance.acquisitionTime == nil, let both = word(.acquisitionDateTime), both.utf8.count >= 14 {
      instance.acquisitionDate = String(both.prefix(8))
      instance.acquisitionTime = String(both.dropFirst(8).prefix { $0.isNumber || $0 == "." })
    }
  }

  /// Siemens counts the tiles of a mosaic in (0019,xx0A) of its MR header block.
  private func siemensMosaicTag() -> Tag? {
    guard let tag = privateTag(group: 0x0019, creator: "SIEMENS MR HEADER", element: 0x0A) else { return nil }
    return has(tag) ? tag : nil
  }

  /// A number that only describes; nil when absent or nonsense.
  func optionalNumber(_ tag: Tag, in item: ItemPath = .root) -> Double? {
    (try? number(tag, in: item)) ?? nil
  }
}
