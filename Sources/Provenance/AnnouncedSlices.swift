// What slices with their inputs and outputs must say to be what their events announced.

internal import GRDB

/// Slices, by the digest over all of it; whether their lineage is complete is seen on the way.
final class AnnouncedSlices: AnnouncedTable {
  static let name = "slice"
  let rows: RawRows
  let mayComeLate = true
  private(set) var lineage = Verification()
  private let inputs: SliceInputRows
  private let output: RawRows
  private let digest = RecordDigest()
  private(set) var sums = SliceSums()

  private enum Column {
    static let job: Int32 = 2
    static let index: Int32 = 3
    static let inside: Int32 = 17
    static let sop: Int32 = 21
    static let attempt: Int32 = 25
    /// Those of `RecordDigest.sliceSQL`.
    static let recorded = Int32(2)..<25
  }

  init(_ db: Database, _ ids: Range<Int64>) throws {
    rows = try RawRows(
      db,
      sql: """
        SELECT s.id, s.event, s.job_id, s.idx, s.x, s.y, s.z, s.accepted, s.reason, s.deformation_mean,
          s.deformation_max, s.deformation_mean_px, s.deformation_max_px, s.folding, s.similarity_measure,
          s.similarity_before, s.similarity_after, s.inside, s.seconds, s.timings_json, s.published, o.sop_uid, o.path,
          o.sha256, o.size, s.attempt_id
        FROM slices s LEFT JOIN outputs o ON o.slice_id = s.id
        WHERE s.id >= \(ids.lowerBound) AND s.id < \(ids.upperBound) ORDER BY s.id
        """)
    inputs = try SliceInputRows(db, ids)
    output = try RawRows(db, sql: "SELECT 1 FROM outputs WHERE sop_uid = CAST(? AS TEXT)")
  }

  func announces(_ kind: UnsafeRawBufferPointer) -> Bool { kind.equals("slice.published") }

  func check(_ event: AnnouncedEvent?, _ report: inout Verification) throws {
    report.records += 1
    sums.add(rows)
    var name: String { "slice \(rows.integer(Column.index)) of job:\(rows.integer(Column.job))" }
    try inputs.collect(slice: rows.integer(0))
    guard !rows.isNull(Column.sop) else {
      lineage.add(.lineage, name, "it has no output")
      return report.add(.record, name, "the row is not what its event says")
    }
    let isBeside = !rows.isNull(Column.inside) && rows.real(Column.inside) <= 0
    if inputs.fixed != 1 || (inputs.moving == 0 && !isBeside) {
      lineage.add(.lineage, rows.text(Column.sop), "it does not name all its inputs")
    }
    guard let event, isTrue(event) else {
      return report.add(.record, name, "the row is not what its event says")
    }
  }

  private func isTrue(_ event: AnnouncedEvent) -> Bool {
    guard announces(event.kind), event.isAbout("output:", rows.bytes(Column.sop)),
      let record = event.payload.value("record")
    else { return false }
    if event.payload.value("attempt") != nil,
      !event.payload.says("attempt", number: rows.integer(Column.attempt))
    {
      return false
    }
    digest.add(rows, Column.recorded)
    digest.endRow()
    inputs.add(to: digest)
    return digest.finish(is: record)
  }

  func end(_ report: inout Verification) throws {
    for slice in try inputs.rest() {
      report.add(.record, "slice:\(slice)", "an input of it is on record, but not the slice or the image")
    }
  }

  func miss(_ seq: Int64, _ event: AnnouncedEvent, _ report: inout Verification) throws {
    // Slices of a dead letter that was sent again were published once more, as those of another job.
    let name = event.name
    output.restart(name)
    guard try !output.next() else { return }
    report.add(.record, name, "event \(seq) announced it, but its row is gone")
  }
}

/// The inputs of one slice after another, as `RecordDigest.sliceInputsSQL` has them, in one walk over all of them.
private final class SliceInputRows {
  /// One input, in `bytes` as it is hashed.
  private struct Input {
    let role: Range<Int>
    let sop: Range<Int>
    let frame: Int64
    let written: Range<Int>
  }

  private let rows: RawRows
  private var head: Int64?
  private let bytes = HashBuffer()
  private var found: [Input] = []
  /// Slices that were passed over, and those with inputs that are not there.
  private var strays: Set<Int64> = []
  private(set) var fixed = 0
  private(set) var moving = 0

  init(_ db: Database, _ ids: Range<Int64>) throws {
    // Inputs lie in the order of their slices.
    rows = try RawRows(
      db,
      sql: """
        SELECT x.slice_id, x.role, i.sop_uid, i.sha256, x.frame FROM slice_inputs x
        LEFT JOIN instances i ON i.id = x.instance_id
        WHERE x.slice_id >= \(ids.lowerBound) AND x.slice_id < \(ids.upperBound) ORDER BY x.slice_id
        """)
    try advance()
  }

  private func advance() throws { head = try rows.next() ? rows.integer(0) : nil }

  /// Goes on to the inputs of this slice; slices come in ascending order.
  func collect(slice: Int64) throws {
    bytes.cut()
    found.removeAll(keepingCapacity: true)
    (fixed, moving) = (0, 0)
    while let head, head <= slice {
      if head == slice, !rows.isNull(2) { add() } else { strays.insert(head) }
      try advance()
    }
  }

  /// The strays, when all slices have come.
  func rest() throws -> [Int64] {
    while let head {
      strays.insert(head)
      try advance()
    }
    return strays.sorted()
  }

  private func add() {
    let role = rows.bytes(1)
    if role.equals("fixed") { fixed += 1 }
    if role.equals("moving") { moving += 1 }
    let start = bytes.count
    bytes.append(valueOf: rows, 1)
    let afterRole = bytes.count
    bytes.append(valueOf: rows, 2)
    let afterSOP = bytes.count
    bytes.append(valueOf: rows, 3)
    bytes.append(valueOf: rows, 4)
    bytes.append(UInt8(ascii: "\n"))
    // A value ends with its text and a semicolon.
    found.append(
      Input(
        role: (afterRole - 1 - role.count)..<(afterRole - 1),
        sop: (afterSOP - 1 - rows.bytes(2).count)..<(afterSOP - 1),
        frame: rows.integer(4), written: start..<bytes.count))
  }

  func add(to digest: RecordDigest) {
    if found.count > 1 { found.sort(by: precedes) }
    for input in found { digest.add(written: part(input.written)) }
  }

  private func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes.bytes[range])
  }

  private func precedes(_ one: Input, _ other: Input) -> Bool {
    for (a, b) in [(part(one.role), part(other.role)), (part(one.sop), part(other.sop))] where !a.equals(b) {
      return a.lexicographicallyPrecedes(b)
    }
    return one.frame < other.frame
  }
}
