// Everything the ledger knows of one job, in one value: what a report is written from.

/// One job with its people, series, slices, inputs, means and history.
public struct JobAccount: Codable, Hashable, Sendable {
  public struct Series: Codable, Hashable, Sendable {
    public var uid: String
    public var modality: String
    @Nullable public var number: Int?
    @Nullable public var description: String?
    @Nullable public var frame: String?
  }

  /// An image of either series that slices were made of.
  public struct Input: Codable, Hashable, Sendable {
    public var role: String
    public var sop: String
    public var sha256: String
    public var path: String
    public var instance: Int64
  }

  /// One published slice and its output; lengths in mm.
  public struct Slice: Codable, Hashable, Sendable {
    public var id: Int64
    public var idx: Int
    public var x: Double
    public var y: Double
    public var z: Double
    public var accepted: Bool
    @Nullable public var reason: String?
    @Nullable public var mean: Double?
    @Nullable public var max: Double?
    @Nullable public var folding: Double?
    @Nullable public var measure: String?
    @Nullable public var before: Double?
    @Nullable public var after: Double?
    @Nullable public var inside: Double?
    @Nullable public var seconds: Double?
    public var published: String
    public var sop: String
    public var path: String
    public var sha256: String
  }

  public var detail: JobDetail
  /// Nil where it was asked to be left out.
  @Nullable public var patient: PatientRecord?
  @Nullable public var study: StudyRecord?
  public var fixed: Series
  public var moving: Series
  public var slices: [Slice]
  public var inputs: [Input]
  /// Row ids in `instances` of what each slice was made of, by index of the slice.
  public var made: [Int: [Int64]]
  @Nullable public var model: OutputLineage.Model?
  public var settings: JSONDocument
  public var settingsSHA256: String
  public var software: OutputLineage.Software
  public var events: [EventRow]
}
