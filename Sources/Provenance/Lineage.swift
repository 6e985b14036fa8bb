// Where an image came from and what became of it, in the JSON that `audit lineage --json` prints.

/// The lineage of one UID.
public enum Lineage: Hashable, Sendable {
  case output(OutputLineage)
  case input(InputLineage)
  case group(GroupLineage)
}

extension Lineage: Encodable {
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .output(let lineage): try lineage.encode(to: encoder)
    case .input(let lineage): try lineage.encode(to: encoder)
    case .group(let lineage): try lineage.encode(to: encoder)
    }
  }
}

/// From an output back to everything it was made of and with.
public struct OutputLineage: Codable, Hashable, Sendable {
  public struct Output: Codable, Hashable, Sendable {
    public var sop: String
    public var path: String
    public var sha256: String
    public var job: Int64
    @Nullable public var series: String?
    public var slice: Int
    /// `superseded` where a later output stands for this one.
    public var state: JobState
  }
  public struct Input: Codable, Hashable, Sendable {
    public var sop: String
    public var series: String
    public var role: String
    public var sha256: String
    public var path: String
    /// 1-based in a multi-frame image.
    @Nullable public var frame: Int?
  }
  /// Another slice of the job, whose own deformation is in the mean that this output was deformed by.
  public struct Neighbour: Codable, Hashable, Sendable {
    /// Its index.
    public var slice: Int
    /// Nil where it was not published.
    @Nullable public var output: String?
    public var inputs: [Input]
  }
  public struct Model: Codable, Hashable, Sendable {
    public var name: String
    public var sha256: String
  }
  public struct Settings: Codable, Hashable, Sendable {
    public var sha256: String
  }
  public struct Software: Codable, Hashable, Sendable {
    public var version: String
    public var blas: String
    public var host: String
    public var kernels: String
  }
  public struct Deformation: Codable, Hashable, Sendable {
    @Nullable public var meanMM: Double?
    @Nullable public var maxMM: Double?
    @Nullable public var meanPX: Double?
    @Nullable public var maxPX: Double?
    @Nullable public var folding: Double?
    public var accepted: Bool
    @Nullable public var reason: String?

    enum CodingKeys: String, CodingKey {
      case folding, accepted, reason
      case meanMM = "mean_mm"
      case maxMM = "max_mm"
      case meanPX = "mean_px"
      case maxPX = "max_px"
    }
  }
  public struct Similarity: Codable, Hashable, Sendable {
    @Nullable public var measure: String?
    @Nullable public var before: Double?
    @Nullable public var after: Double?
  }
  public struct Times: Codable, Hashable, Sendable {
    /// When the last of the inputs was taken in.
    @Nullable public var received: String?
    public var opened: String
    @Nullable public var started: String?
    public var published: String
    @Nullable public var finished: String?
    /// Of the slice.
    @Nullable public var seconds: Double?
  }

  public var output: Output
  /// The images it was resampled from, and what says where they lie.
  public var inputs: [Input]
  /// Empty where its deformation is its own, or it has none.
  public var neighbours: [Neighbour]
  @Nullable public var model: Model?
  public var settings: Settings
  public var software: Software
  public var normalization: JobDetail.Normalization
  @Nullable public var registration: JSONDocument?
  @Nullable public var interpolation: String?
  public var deformation: Deformation
  public var similarity: Similarity
  public var times: Times
}

/// From an input to everything that was made of it.
public struct InputLineage: Codable, Hashable, Sendable {
  public struct Input: Codable, Hashable, Sendable {
    public var sop: String
    @Nullable public var series: String?
    @Nullable public var study: String?
    @Nullable public var modality: String?
    @Nullable public var sha256: String?
    @Nullable public var path: String?
    public var state: IntakeOutcome
    @Nullable public var reason: String?
    public var time: String
  }
  public struct Output: Codable, Hashable, Sendable {
    public var sop: String
    public var path: String
    public var sha256: String
    public var job: Int64
    @Nullable public var series: String?
    public var slice: Int
    public var state: JobState
    public var role: String
  }
  public var input: Input
  public var outputs: [Output]
  /// Outputs whose deformation it had a say in, as an input of a neighbouring slice: with the role it has there.
  public var neighbourOf: [Output]

  enum CodingKeys: String, CodingKey {
    case input, outputs
    case neighbourOf = "neighbour_of"
  }
}

/// Of a series or a study: the jobs it takes part in and their outputs.
public struct GroupLineage: Codable, Hashable, Sendable {
  /// The UID asked for.
  public var uid: String
  /// `fixed`, `moving`, `output`, `study`, or `registration` for the object of a registration.
  public var roles: [String]
  public var jobs: [JobRow]
  public var outputs: [OutputRow]
}
