// What only some modalities say: the patient, PET quantification and MR contrast. Values as found, nothing computed.

/// Who the instance belongs to. Protected health information: never log it.
public struct Patient: Codable, Hashable, Sendable {
  public var patientID: String?
  public var issuerOfPatientID: String?
  /// Patient's Name in UTF-8, component groups and carets kept.
  public var name: String?
  /// DA as given.
  public var birthDate: String?
  public var sex: String?

  public init(
    patientID: String? = nil, issuerOfPatientID: String? = nil, name: String? = nil, birthDate: String? = nil,
    sex: String? = nil
  ) {
    self.patientID = patientID
    self.issuerOfPatientID = issuerOfPatientID
    self.name = name
    self.birthDate = birthDate
    self.sex = sex
  }
}

/// PET Series, Image and Isotope modules (PS3.3 C.8.9) and the private values SUV needs.
public struct PETHeader: Codable, Hashable, Sendable {
  /// Units (0054,1001), e.g. `BQML`; enhanced objects have none and say it by their Real World Value Mapping.
  public var units: String?
  /// Decay Correction (0054,1102): `NONE`, `START` or `ADMIN`.
  public var decayCorrection: String?
  /// Corrected Image (0028,0051); of enhanced objects what their YES and NO say in its words.
  public var correctedImage: [String] = []
  /// Attenuation Correction Method (0054,1101) of classic objects, free text or `NONE`.
  public var attenuationCorrectionMethod: String?
  /// Attenuation Corrected (0018,9759) of enhanced objects: `YES` or `NO`.
  public var attenuationCorrected: String?
  /// Decay Correction DateTime (0018,9701) of enhanced objects, DT as given: the moment the activity is corrected to.
  public var decayCorrectionDateTime: String?
  /// Items of the Radiopharmaceutical Information Sequence (0054,0016); the dose below is the first one's.
  public var radiopharmaceuticals = 0
  /// Series Type (0054,1000), e.g. `["WHOLE BODY", "IMAGE"]`.
  public var seriesType: [String] = []
  /// SUV Type (0054,1006): absent or `BW` means body weight.
  public var suvType: String?
  /// Radiopharmaceutical Start DateTime (0018,1078), DT as given.
  public var startDateTime: String?
  /// Radiopharmaceutical Start Time (0018,1072), TM as given.
  public var startTime: String?
  /// Radionuclide Total Dose (0018,1074), Bq.
  public var totalDose: Double?
  /// Radionuclide Half Life (0018,1075), s.
  public var halfLife: Double?
  /// Patient's Weight (0010,1030), kg.
  public var patientWeight: Double?
  /// Frame Reference Time (0054,1300), ms after the series reference time.
  public var frameReferenceTime: Double?
  /// Actual Frame Duration (0018,1242), ms.
  public var actualFrameDuration: Double?
  /// Philips SUV Scale Factor (7053,1000).
  public var philipsSUVFactor: Double?
  /// Philips Activity Concentration Scale Factor (7053,1009), Bq/ml per count.
  public var philipsActivityFactor: Double?
  /// GE PET scan date and time (0009,100D), DT as given: the decay reference that later edits do not move.
  public var geScanDateTime: String?

  public init() {}
}

/// MR Image module (PS3.3 C.8.3): what tells one contrast of a series from another.
public struct MRHeader: Codable, Hashable, Sendable {
  /// Echo Time, ms.
  public var echoTime: Double?
  /// Repetition Time, ms.
  public var repetitionTime: Double?
  /// Inversion Time, ms.
  public var inversionTime: Double?
  /// Flip Angle, degrees.
  public var flipAngle: Double?
  /// Echo Number(s) (0018,0086).
  public var echoNumbers: [Int] = []
  /// Scanning Sequence (0018,0020), e.g. `SE`, `GR`, `EP`.
  public var scanningSequence: [String] = []
  public var sequenceVariant: [String] = []
  public var sequenceName: String?
  /// MR Acquisition Type (0018,0023): `2D` or `3D`.
  public var acquisitionType: String?
  /// Echo Planar Pulse Sequence (0018,9018) of enhanced objects: `YES` or `NO`.
  public var echoPlanarPulseSequence: String?
  /// Diffusion b-value (0018,9087), s/mm².
  public var diffusionBValue: Double?

  public init() {}
}
