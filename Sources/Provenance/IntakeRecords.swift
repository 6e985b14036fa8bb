// What intake tells the ledger about a file, and what the ledger tells back. No DICOM is read here.

/// Identifying attributes exactly as the file says them, decoded to UTF-8. Stored in `patients`, nowhere else.
public struct PatientRecord: Codable, Hashable, Sendable {
  public var patientID: String?
  public var issuer: String?
  public var name: String?
  public var birthDate: String?
  public var sex: String?

  public init(
    patientID: String? = nil, issuer: String? = nil, name: String? = nil, birthDate: String? = nil,
    sex: String? = nil
  ) {
    self.patientID = patientID
    self.issuer = issuer
    self.name = name
    self.birthDate = birthDate
    self.sex = sex
  }
}

public struct StudyRecord: Codable, Hashable, Sendable {
  /// Study Instance UID.
  public var uid: String
  /// DICOM DA and TM.
  public var date: String?
  public var time: String?
  public var description: String?

  public init(uid: String, date: String? = nil, time: String? = nil, description: String? = nil) {
    self.uid = uid
    self.date = date
    self.time = time
    self.description = description
  }
}

public struct SeriesRecord: Codable, Hashable, Sendable {
  /// Series Instance UID.
  public var uid: String
  public var modality: String
  public var number: Int?
  public var description: String?
  public var frameOfReferenceUID: String?

  public init(
    uid: String, modality: String, number: Int? = nil, description: String? = nil,
    frameOfReferenceUID: String? = nil
  ) {
    self.uid = uid
    self.modality = modality
    self.number = number
    self.description = description
    self.frameOfReferenceUID = frameOfReferenceUID
  }
}

/// An image that intake found complete and put into the store.
public struct AcceptedInstance: Sendable {
  public var sopInstanceUID: String
  public var sopClassUID: String
  public var transferSyntaxUID: String
  public var number: Int?
  public var patient: PatientRecord
  public var study: StudyRecord
  public var series: SeriesRecord
  /// Relative to the store.
  public var path: String
  /// Where it lay in the drop folder.
  public var originalPath: String
  public var sha256: String
  /// Bytes.
  public var size: Int64
  /// The header that later stages decide on; opaque here.
  public var header: JSONDocument

  public init(
    sopInstanceUID: String, sopClassUID: String, transferSyntaxUID: String, number: Int?,
    patient: PatientRecord, study: StudyRecord, series: SeriesRecord, path: String, originalPath: String,
    sha256: String, size: Int64, header: JSONDocument
  ) {
    self.sopInstanceUID = sopInstanceUID
    self.sopClassUID = sopClassUID
    self.transferSyntaxUID = transferSyntaxUID
    self.number = number
    self.patient = patient
    self.study = study
    self.series = series
    self.path = path
    self.originalPath = originalPath
    self.sha256 = sha256
    self.size = size
    self.header = header
  }
}

/// What became of a file at the door.
public enum IntakeOutcome: String, Codable, Hashable, Sendable, CaseIterable {
  case accepted, duplicate, skipped, rejected
}

/// A file that was not taken into the store.
public struct RefusedFile: Sendable {
  /// Stable code, e.g. `truncated`, `not_image`, `uid_conflict`.
  public var reason: String
  /// One sentence for the operator, free of patient data.
  public var sentence: String
  public var originalPath: String
  /// Nil where the file could not be read at all.
  public var sha256: String?
  public var size: Int64?
  /// As far as the file could be read.
  public var sopInstanceUID: String?
  public var seriesInstanceUID: String?
  public var studyInstanceUID: String?
  public var modality: String?
  public var quarantinePath: String?

  public init(
    reason: String, sentence: String, originalPath: String, sha256: String? = nil, size: Int64? = nil,
    sopInstanceUID: String? = nil, seriesInstanceUID: String? = nil, studyInstanceUID: String? = nil,
    modality: String? = nil, quarantinePath: String? = nil
  ) {
    self.reason = reason
    self.sentence = sentence
    self.originalPath = originalPath
    self.sha256 = sha256
    self.size = size
    self.sopInstanceUID = sopInstanceUID
    self.seriesInstanceUID = seriesInstanceUID
    self.studyInstanceUID = studyInstanceUID
    self.modality = modality
    self.quarantinePath = quarantinePath
  }
}

/// The ledger's answer to an instance that intake wants to accept.
public enum Acceptance: Hashable, Sendable {
  /// Recorded under this row id.
  case accepted(Int64)
  /// The same bytes are already in the store; recorded as a duplicate, the file may go.
  case duplicate(of: StoredInstance)
  /// It contradicts what is recorded. Nothing was recorded: quarantine the file, then record it as rejected.
  case refused(reason: String, sentence: String, kept: StoredInstance?)
}

/// An image in the store.
public struct StoredInstance: Codable, Hashable, Sendable {
  public var id: Int64
  public var sopInstanceUID: String
  public var sopClassUID: String
  public var transferSyntaxUID: String
  public var seriesInstanceUID: String
  public var studyInstanceUID: String
  public var modality: String
  public var number: Int?
  /// Row id in `patients`: equal ids mean equal identifying attributes.
  public var patient: Int64
  /// Relative to the store.
  public var path: String
  public var sha256: String
  public var size: Int64
  public var received: String
  public var header: JSONDocument
}
