// Which attributes of a source say who the patient is and what the study is; they are copied, never composed.

/// Attributes of the patient and study levels, by module (PS3.3 annex C, 2026b). A capture that leaves one out, or
/// changes one, contradicts its sources: archives then see a second patient or a second study.
enum CopiedAttributes {
  /// Patient (C.7.1.1), without its type 2 attributes.
  static let patient: [Tag] = [
    Tag(0x0008, 0x1120), Tag(0x0010, 0x0011), Tag(0x0010, 0x0015), Tag(0x0010, 0x0021), Tag(0x0010, 0x0022),
    Tag(0x0010, 0x0024), Tag(0x0010, 0x0026), Tag(0x0010, 0x0027), Tag(0x0010, 0x0032), Tag(0x0010, 0x0033),
    Tag(0x0010, 0x0034), Tag(0x0010, 0x0035), Tag(0x0010, 0x0041), Tag(0x0010, 0x0200), Tag(0x0010, 0x0212),
    Tag(0x0010, 0x0213), Tag(0x0010, 0x0216), Tag(0x0010, 0x0218), Tag(0x0010, 0x0219), Tag(0x0010, 0x0221),
    Tag(0x0010, 0x1000), Tag(0x0010, 0x1001), Tag(0x0010, 0x1002), Tag(0x0010, 0x1100), Tag(0x0010, 0x2160),
    Tag(0x0010, 0x2161), Tag(0x0010, 0x2201), Tag(0x0010, 0x2202), Tag(0x0010, 0x2292), Tag(0x0010, 0x2293),
    Tag(0x0010, 0x2294), Tag(0x0010, 0x2295), Tag(0x0010, 0x2296), Tag(0x0010, 0x2297), Tag(0x0010, 0x2298),
    Tag(0x0010, 0x2299), Tag(0x0010, 0x4000), Tag(0x0012, 0x0062), Tag(0x0012, 0x0063), Tag(0x0012, 0x0064),
  ]

  /// Clinical Trial Subject (C.7.1.3) and Clinical Trial Study (C.7.2.3).
  static let clinicalTrial: [Tag] = [
    Tag(0x0012, 0x0010), Tag(0x0012, 0x0020), Tag(0x0012, 0x0021), Tag(0x0012, 0x0022), Tag(0x0012, 0x0023),
    Tag(0x0012, 0x0030), Tag(0x0012, 0x0031), Tag(0x0012, 0x0032), Tag(0x0012, 0x0033), Tag(0x0012, 0x0040),
    Tag(0x0012, 0x0041), Tag(0x0012, 0x0042), Tag(0x0012, 0x0043), Tag(0x0012, 0x0050), Tag(0x0012, 0x0051),
    Tag(0x0012, 0x0052), Tag(0x0012, 0x0053), Tag(0x0012, 0x0055), Tag(0x0012, 0x0081), Tag(0x0012, 0x0082),
    Tag(0x0012, 0x0083), Tag(0x0012, 0x0086), Tag(0x0012, 0x0087),
  ]

  /// General Study (C.7.2.1), without its type 1 and 2 attributes.
  static let study: [Tag] = [
    Tag(0x0008, 0x0051), Tag(0x0008, 0x0096), Tag(0x0008, 0x009C), Tag(0x0008, 0x009D), Tag(0x0008, 0x1030),
    Tag(0x0008, 0x1032), Tag(0x0008, 0x1048), Tag(0x0008, 0x1049), Tag(0x0008, 0x1060), Tag(0x0008, 0x1062),
    Tag(0x0008, 0x1110), Tag(0x0032, 0x1033), Tag(0x0032, 0x1034), Tag(0x0040, 0x1012),
  ]

  /// Patient Study (C.7.2.2): the patient at the time of the study.
  static let patientStudy: [Tag] = [
    Tag(0x0008, 0x1080), Tag(0x0008, 0x1084), Tag(0x0010, 0x0043), Tag(0x0010, 0x1010), Tag(0x0010, 0x1020),
    Tag(0x0010, 0x1021), Tag(0x0010, 0x1022), Tag(0x0010, 0x1023), Tag(0x0010, 0x1024), Tag(0x0010, 0x1030),
    Tag(0x0010, 0x2000), Tag(0x0010, 0x2110), Tag(0x0010, 0x2180), Tag(0x0010, 0x21A0), Tag(0x0010, 0x21B0),
    Tag(0x0010, 0x21C0), Tag(0x0010, 0x21D0), Tag(0x0010, 0x2203), Tag(0x0032, 0x1066), Tag(0x0032, 0x1067),
    Tag(0x0038, 0x0010), Tag(0x0038, 0x0014), Tag(0x0038, 0x0060), Tag(0x0038, 0x0062), Tag(0x0038, 0x0064),
    Tag(0x0038, 0x0500),
  ]

  /// Type 2 of both levels: put in empty where the source has none.
  static let required: [Tag] = [
    .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime, .accessionNumber,
    .referringPhysicianName, .studyID,
  ]

  /// Present in the capture only when present in the source. Whether dates were shifted (0028,0303) goes with them.
  private static let optional = patient + study + patientStudy + [Tag(0x0028, 0x0303)]

  /// Attributes of a file to copy if it has them. The clinical trial's are among them only when the file says all
  /// that its module requires – sponsor, protocol, subject: de-identified archives leave fragments of it, and an
  /// object that carries these on is invalid.
  static func optional(in file: borrowing DICOMFile) -> [Tag] {
    let sponsor = file.word(Tag(0x0012, 0x0010))
    let protocolID = file.word(Tag(0x0012, 0x0020))
    let subject = file.word(Tag(0x0012, 0x0040)) ?? file.word(Tag(0x0012, 0x0042))
    return sponsor != nil && protocolID != nil && subject != nil ? optional + clinicalTrial : optional
  }

  /// What names a scanner in Contributing Equipment (C.12.1.1.5), without the manufacturer, which is required there.
  static let equipment: [Tag] = [
    .institutionName, .stationName, .manufacturerModelName, .deviceSerialNumber, .softwareVersions,
  ]
}
