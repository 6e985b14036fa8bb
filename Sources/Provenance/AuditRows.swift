// The rows that audit questions answer with; their keys are the columns of the views in schema.sql.

/// A file seen at the door (`v_inputs`).
public struct InputRow: Codable, Hashable, Sendable {
  public var intake: Int64
  public var time: String
  public var state: IntakeOutcome
  @Nullable public var reason: String?
  @Nullable public var sentence: String?
  @Nullable public var sop: String?
  @Nullable public var series: String?
  @Nullable public var study: String?
  @Nullable public var modality: String?
  @Nullable public var patient: String?
  @Nullable public var sha256: String?
  @Nullable public var size: Int64?
  @Nullable public var path: String?
  @Nullable public var run: Int64?
}

/// A job (`v_jobs`).
public struct JobRow: Codable, Hashable, Sendable {
  public var job: Int64
  public var state: JobState
  @Nullable public var reason: String?
  @Nullable public var sentence: String?
  /// Row of `pairs`, shared with the jobs that did the same pair with other images, models or settings.
  public var pair: Int64
  public var kind: String
  public var study: String
  public var fixed: String
  public var fixedModality: String
  public var moving: String
  public var movingModality: String
  @Nullable public var series: String?
  @Nullable public var patient: String?
  @Nullable public var model: String?
  @Nullable public var modelSHA256: String?
  public var settingsSHA256: String
  public var software: String
  /// Planned.
  @Nullable public var slices: Int?
  /// Published.
  public var outputs: Int
  public var attempts: Int
  @Nullable public var retryAt: String?
  @Nullable public var supersededBy: Int64?
  @Nullable public var run: Int64?
  public var opened: String
  @Nullable public var started: String?
  @Nullable public var finished: String?
  @Nullable public var seconds: Double?

  enum CodingKeys: String, CodingKey {
    case job, state, reason, sentence, pair, kind, study, fixed, moving, series, patient, model, software,
      slices
    case outputs, attempts, run, opened, started, finished, seconds
    case fixedModality = "fixed_modality"
    case movingModality = "moving_modality"
    case modelSHA256 = "model_sha256"
    case settingsSHA256 = "settings_sha256"
    case retryAt = "retry_at"
    case supersededBy = "superseded_by"
  }
}

/// A published output (`v_outputs`).
public struct OutputRow: Codable, Hashable, Sendable {
  public var sop: String
  public var path: String
  public var sha256: String
  public var size: Int64
  public var published: String
  public var slice: Int
  public var accepted: Bool
  @Nullable public var reason: String?
  @Nullable public var deformationMean: Double?
  @Nullable public var deformationMax: Double?
  @Nullable public var similarityBefore: Double?
  @Nullable public var similarityAfter: Double?
  @Nullable public var seconds: Double?
  public var job: Int64
  /// `superseded` where a later output stands for this one.
  public var state: JobState
  public var kind: String
  @Nullable public var series: String?
  public var study: String
  @Nullable public var patient: String?
  @Nullable public var model: String?
  @Nullable public var modelSHA256: String?

  enum CodingKeys: String, CodingKey {
    case sop, path, sha256, size, published, slice, accepted, reason, seconds, job, kind, series, study
    case patient, model
    case deformationMean = "deformation_mean"
    case deformationMax = "deformation_max"
    case similarityBefore = "similarity_before"
    case similarityAfter = "similarity_after"
    case state = "job_state"
    case modelSHA256 = "model_sha256"
  }
}

/// An event, with its digest in hexadecimal (`v_events`).
public struct EventRow: Codable, Hashable, Sendable {
  public var seq: Int64
  public var time: String
  public var kind: String
  public var subject: String
  public var payload: JSONDocument
  public var hash: String
}

/// Something that went wrong (`v_failures`).
public struct FailureRow: Codable, Hashable, Sendable {
  /// `job`, `file` or `series`.
  public var what: String
  public var state: String
  public var reason: String
  @Nullable public var sentence: String?
  public var subject: String
  public var time: String
  @Nullable public var job: Int64?
  @Nullable public var study: String?
  @Nullable public var modality: String?
  @Nullable public var patient: String?
  @Nullable public var model: String?
}

/// How often a reason came up, and the sentence of its latest case.
public struct FailureCount: Codable, Hashable, Sendable {
  public var what: String
  public var state: String
  public var reason: String
  public var count: Int
  @Nullable public var latest: String?
  @Nullable public var sentence: String?
}

/// Failures in one answer: counts per reason, most frequent first, and the cases, latest first.
public struct Failures: Codable, Hashable, Sendable {
  public var counts: [FailureCount]
  public var cases: [FailureRow]
}

/// Records that cannot all be true.
public struct ConflictRow: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable {
    /// One Patient ID and issuer, different people.
    case patient
    /// One Study Instance UID, several patients.
    case study
    /// One SOP Instance UID, different bytes.
    case sop
  }
  public var kind: Kind
  /// The UID; of a patient the Patient ID where it was asked for, else the row ids in `patients`.
  public var subject: String
  /// What differs: `name`, `birth date`, `sex`, `patient`, `sha256`.
  public var differing: [String]
  /// How many identities, patients or files.
  public var count: Int
  public var series: [String]
  /// For a SOP Instance UID: the digest kept and the one refused.
  public var sha256: [String]
}

/// An attempt at a job.
public struct AttemptRow: Codable, Hashable, Sendable {
  public var number: Int
  @Nullable public var run: Int64?
  @Nullable public var worker: String?
  public var started: String
  @Nullable public var finished: String?
  @Nullable public var outcome: String?
  @Nullable public var reason: String?
  @Nullable public var sentence: String?
}

/// One job with everything recorded of it.
public struct JobDetail: Codable, Hashable, Sendable {
  public struct Normalization: Codable, Hashable, Sendable {
    @Nullable public var fixed: JSONDocument?
    @Nullable public var moving: JSONDocument?
  }
  public var job: JobRow
  public var normalization: Normalization
  @Nullable public var registration: JSONDocument?
  @Nullable public var interpolation: String?
  @Nullable public var details: JSONDocument?
  public var attempts: [AttemptRow]
  public var outputs: [OutputRow]
}
