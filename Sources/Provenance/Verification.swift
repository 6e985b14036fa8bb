// The verdict of `audit verify`: what was checked, and every link found broken.

/// One thing that is not as it was recorded.
public struct BrokenLink: Codable, Hashable, Sendable {
  public enum What: String, Codable, Hashable, Sendable {
    /// The hash chain: an event was changed, removed or inserted.
    case event
    /// A signed checkpoint does not fit the chain or its signature.
    case checkpoint
    /// A row is not what its event announced, or row and event are not both there.
    case record
    /// An output cannot be traced to inputs, or a finished job lacks outputs.
    case lineage
    /// A published file is missing or has other bytes.
    case output
    /// A stored input is missing or has other bytes.
    case input
  }
  public var what: What
  /// The event, job, slice or UID.
  public var subject: String
  public var detail: String
}

public struct Verification: Codable, Hashable, Sendable {
  public var whole: Bool { first == nil }
  /// How many of each were looked at.
  public var events = 0
  public var checkpoints = 0
  public var records = 0
  public var outputs = 0
  public var inputs = 0
  /// Inputs whose files retention has let go.
  public var released = 0
  /// The first broken link in the order: chain, checkpoints, records, lineage, outputs, inputs.
  @Nullable public var first: BrokenLink?
  /// All of them, up to `Verification.limit`.
  public var broken: [BrokenLink] = []
  public var brokenCount = 0

  /// More broken links than this are only counted.
  static let limit = 1000

  init() { _first = Nullable(wrappedValue: nil) }

  mutating func add(_ what: BrokenLink.What, _ subject: String, _ detail: String) {
    let link = BrokenLink(what: what, subject: subject, detail: detail)
    if first == nil { first = link }
    if broken.count < Self.limit { broken.append(link) }
    brokenCount += 1
  }

  /// What another part of the work found, after what is here.
  mutating func add(_ part: Verification) {
    events += part.events
    records += part.records
    for link in part.broken { add(link.what, link.subject, link.detail) }
    brokenCount += part.brokenCount - part.broken.count
  }

  enum CodingKeys: String, CodingKey {
    case whole, events, checkpoints, records, outputs, inputs, released, first, broken
    case brokenCount = "broken_count"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    events = try container.decode(Int.self, forKey: .events)
    checkpoints = try container.decode(Int.self, forKey: .checkpoints)
    records = try container.decode(Int.self, forKey: .records)
    outputs = try container.decode(Int.self, forKey: .outputs)
    inputs = try container.decode(Int.self, forKey: .inputs)
    released = try container.decodeIfPresent(Int.self, forKey: .released) ?? 0
    _first = try container.decode(Nullable<BrokenLink>.self, forKey: .first)
    broken = try container.decode([BrokenLink].self, forKey: .broken)
    brokenCount = try container.decode(Int.self, forKey: .brokenCount)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(whole, forKey: .whole)
    try container.encode(events, forKey: .events)
    try container.encode(checkpoints, forKey: .checkpoints)
    try container.encode(records, forKey: .records)
    try container.encode(outputs, forKey: .outputs)
    try container.encode(inputs, forKey: .inputs)
    try container.encode(released, forKey: .released)
    try container.encode(_first, forKey: .first)
    try container.encode(broken, forKey: .broken)
    try container.encode(brokenCount, forKey: .brokenCount)
  }
}

/// A file of the store or the output folder, by its recorded relative path.
public enum RecordedFile: Hashable, Sendable {
  case input(path: String)
  case output(path: String)
}
