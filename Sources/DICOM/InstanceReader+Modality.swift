// The PET and MR parts of a header, from the data set to values; what they mean is decided elsewhere.

extension DICOMFile {
  /// PET modules and the private attributes SUV needs. Throws `invalid_attribute` for a number that is none:
  /// a wrong dose is worse than no dose.
  func petHeader() throws(DICOMError) -> PETHeader {
    var pet = PETHeader()
    pet.units = word(.units)
    pet.decayCorrection = word(.decayCorrection)
    pet.correctedImage = words(.correctedImage)
    pet.attenuationCorrectionMethod = word(.attenuationCorrectionMethod)
    pet.attenuationCorrected = word(.attenuationCorrected)
    pet.decayCorrectionDateTime = word(.decayCorrectionDateTime)
    if pet.attenuationCorrected == "YES" { pet.correctedImage.append("ATTN") }
    if word(.decayCorrected) == "YES" { pet.correctedImage.append("DECY") }
    pet.radiopharmaceuticals = items(.radiopharmaceuticalInformationSequence)
    pet.seriesType = words(.seriesType)
    pet.suvType = word(.suvType)
    pet.patientWeight = try number(.patientWeight)
    pet.frameReferenceTime = try number(.frameReferenceTime)
    pet.actualFrameDuration = try number(.actualFrameDuration)
    let pharmaceutical = ItemPath.root.item(.radiopharmaceuticalInformationSequence)
    pet.startDateTime = word(.radiopharmaceuticalStartDateTime, in: pharmaceutical)
    pet.startTime = word(.radiopharmaceuticalStartTime, in: pharmaceutical)
    pet.totalDose = try number(.radionuclideTotalDose, in: pharmaceutical)
    pet.halfLife = try number(.radionuclideHalfLife, in: pharmaceutical)
    let philips = "Philips PET Private Group"
    if let tag = privateTag(group: 0x7053, creator: philips, element: 0x00) {
      pet.philipsSUVFactor = try number(tag)
    }
    if let tag = privateTag(group: 0x7053, creator: philips, element: 0x09) {
      pet.philipsActivityFactor = try number(tag)
    }
    if let tag = privateTag(group: 0x0009, creator: "GEMS_PETD_01", element: 0x0D) {
      pet.geScanDateTime = word(tag)
    }
    return pet
  }

  func mrHeader() -> MRHeader {
    var mr = MRHeader()
    mr.echoTime = optionalNumber(.echoTime)
    mr.repetitionTime = optionalNumber(.repetitionTime)
    mr.inversionTime = optionalNumber(.inversionTime)
    mr.flipAngle = optionalNumber(.flipAngle)
    mr.echoNumbers = ((try? numbers(.echoNumbers)) ?? nil)?.compactMap { Int(exactly: $0) } ?? []
    mr.scanningSequence = words(.scanningSequence)
    mr.sequenceVariant = words(.sequenceVariant)
    mr.sequenceName = word(.sequenceName)
    mr.acquisitionType = word(.mrAcquisitionType)
    mr.echoPlanarPulseSequence = word(.echoPlanarPulseSequence)
    mr.diffusionBValue = optionalNumber(.diffusionBValue)
    return mr
  }
}
