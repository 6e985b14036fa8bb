// What the pipeline tells the ledger about a pair, an attempt and a slice. No image is touched here.

internal import Crypto

/// Where a job stands. Failed is our fault or the machine's and can be retried; rejected is unsafe to do.
public enum JobState: String, Codable, Hashable, Sendable, CaseIterable {
  case pending, running, done, failed, rejected, superseded
}

/// A pair of series to fuse, and everything that decides what comes out of it.
public struct NewJob: Hashable, Sendable {
  /// `CT-MR`, `PET-MR`, `SPECT-MR` or `PET-CT`.
  public var kind: String
  public var fixedSeriesUID: String
  public var movingSeriesUID: String
  /// Over the digests of all instances of both series.
  public var inputsSHA256: String
  /// Row id from `register(model:)`; nil for a pair that was rejected before a model was chosen.
  public var model: Int64?
  /// Row id from `register(settings:sha256:)`.
  public var settings: Int64
  /// Row id from `register(software:)`.
  public var software: Int64
  public var outputSeriesUID: String?
  /// Number of slices of the fixed series.
  public var plannedSlices: Int?

  public init(
    kind: String, fixedSeriesUID: String, movingSeriesUID: String, inputsSHA256: String, model: Int64?,
    settings: Int64, software: Int64, outputSeriesUID: String?, plannedSlices: Int? = nil
  ) {
    self.kind = kind
    self.fixedSeriesUID = fixedSeriesUID
    self.movingSeriesUID = movingSeriesUID
    self.inputsSHA256 = inputsSHA256
    self.model = model
    self.settings = settings
    self.software = software
    self.outputSeriesUID = outputSeriesUID
    self.plannedSlices = plannedSlices
  }

  /// SHA-256 over the parts, each with its length before it, so that no two lists of parts look alike.
  static func key(_ parts: [String]) -> String {
    var hash = SHA256()
    for part in parts {
      hash.update(data: Array("\(part.utf8.count):".utf8))
      hash.update(data: Array(part.utf8))
    }
    return hex(hash.finalize())
  }
}

/// What is known of a pair once both volumes are read.
public struct JobPreparation: Codable, Hashable, Sendable {
  public var normalizationFixed: JSONDocument?
  public var normalizationMoving: JSONDocument?
  public var registration: JSONDocument?
  public var interpolation: String?
  /// Working grid, notes on geometry, anything else worth keeping.
  public var details: JSONDocument?
  public var plannedSlices: Int?

  public init(
    normalizationFixed: JSONDocument? = nil, normalizationMoving: JSONDocument? = nil,
    registration: JSONDocument? = nil, interpolation: String? = nil, details: JSONDocument? = nil,
    plannedSlices: Int? = nil
  ) {
    self.normalizationFixed = normalizationFixed
    self.normalizationMoving = normalizationMoving
    self.registration = registration
    self.interpolation = interpolation
    self.details = details
    self.plannedSlices = plannedSlices
  }
}

/// A job as it stands.
public struct Job: Codable, Hashable, Sendable {
  public var id: Int64
  public var key: String
  public var kind: String
  public var studyInstanceUID: String
  public var fixedSeriesUID: String
  public var movingSeriesUID: String
  public var outputSeriesUID: String?
  public var state: JobState
  public var reason: String?
  public var sentence: String?
  /// Since it was opened, or requeued with a fresh budget.
  public var attempts: Int
  /// Failed: when to try again; nil is a dead letter.
  public var retryAt: String?
  public var plannedSlices: Int?
  /// Slices published so far, by any attempt.
  public var publishedSlices: Int
}

/// One fused slice and the file that holds it.
public struct SlicePublication: Codable, Hashable, Sendable {
  /// An image a slice was made of.
  public struct Input: Codable, Hashable, Sendable {
    /// `registration`: an object that says where the moving image lies.
    public enum Role: String, Codable, Hashable, Sendable { case fixed, moving, registration }
    public var role: Role
    public var sopInstanceUID: String
    /// 1-based in a multi-frame image, nil in a single-frame one.
    public var frame: Int?

    public init(role: Role, sopInstanceUID: String, frame: Int? = nil) {
      self.role = role
      self.sopInstanceUID = sopInstanceUID
      self.frame = frame
    }
  }

  /// Statistics of the deformation field that the network proposed, over the slice.
  public struct Deformation: Codable, Hashable, Sendable {
    public var meanMillimetres: Double
    public var maxMillimetres: Double
    public var meanPixels: Double
    public var maxPixels: Double
    /// Fraction of pixels whose Jacobian determinant is not positive.
    public var folding: Double

    public init(
      meanMillimetres: Double, maxMillimetres: Double, meanPixels: Double, maxPixels: Double, folding: Double
    ) {
      self.meanMillimetres = meanMillimetres
      self.maxMillimetres = maxMillimetres
      self.meanPixels = meanPixels
      self.maxPixels = maxPixels
      self.folding = folding
    }
  }

  /// How alike fixed and moving were before and after the deformation.
  public struct Similarity: Codable, Hashable, Sendable {
    public var measure: String
    public var before: Double
    public var after: Double

    public init(measure: String, before: Double, after: Double) {
      self.measure = measure
      self.before = before
      self.after = after
    }
  }

  /// The file, under its final name.
  public struct Output: Codable, Hashable, Sendable {
    public var sopInstanceUID: String
    /// Relative to the output folder.
    public var path: String
    public var sha256: String
    /// Bytes.
    public var size: Int64

    public init(sopInstanceUID: String, path: String, sha256: String, size: Int64) {
      self.sopInstanceUID = sopInstanceUID
      self.path = path
      self.sha256 = sha256
      self.size = size
    }
  }

  /// 0, 1, … along the normal of the fixed series.
  public var index: Int
  /// Image Position (Patient) of the fixed slice, LPS, mm.
  public var position: SIMD3<Double>
  public var inputs: [Input]
  /// Indices of the slices of the job whose own deformations are in the mean that was applied, without this one; nil in what
  /// early programs left.
  public var neighbours: [Int]?
  /// Was the deformation applied?
  public var accepted: Bool
  /// Why not.
  public var reason: String?
  public var deformation: Deformation?
  public var similarity: Similarity?
  /// Fraction of the slice that the moving volume covers.
  public var inside: Double?
  /// Time the slice took.
  public var seconds: Double?
  public var timings: JSONDocument?
  public var output: Output

  public init(
    index: Int, position: SIMD3<Double>, inputs: [Input], neighbours: [Int] = [], accepted: Bool,
    reason: String? = nil,
    deformation: Deformation? = nil, similarity: Similarity? = nil, inside: Double? = nil,
    seconds: Double? = nil, timings: JSONDocument? = nil, output: Output
  ) {
    self.index = index
    self.position = position
    self.inputs = inputs
    self.neighbours = neighbours
    self.accepted = accepted
    self.reason = reason
    self.deformation = deformation
    self.similarity = similarity
    self.inside = inside
    self.seconds = seconds
    self.timings = timings
    self.output = output
  }
}

/// Lower-case hexadecimal.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}
