// The audit's answers as files for other systems: CSV, JSON, FHIR R4. Written piece by piece, never held whole.

internal import Foundation
internal import GRDB

/// What `audit export` writes.
public enum ExportFormat: String, Codable, Sendable, CaseIterable {
  /// One line per output with everything that made it; inputs as `role:SOP Instance UID`, of a multi-frame
  /// image with `#frame`, separated by spaces.
  case csv
  /// One document: jobs, inputs, outputs with their lineage, events.
  case json
  /// A `collection` bundle: a `Provenance` per output, an `AuditEvent` per event.
  case fhir
  /// A DICOM audit message (PS3.15 A.5) per event, one XML document a line.
  case dicom
}

extension Ledger {
  /// Writes what the filter lets through, all of it: `limit` and `offset` do not count here.
  ///
  /// Where the filter asks for what only jobs have (model, modality, state, job), events are those of the jobs
  /// found, and files at the door are left out.
  /// - Parameter write: takes the pieces of the text in order.
  public func export(_ format: ExportFormat, _ filter: AuditFilter, write: (String) throws -> Void) throws {
    var filter = filter
    filter.limit = -1
    filter.offset = 0
    let now = Timestamp.text(clock())
    try read { db in
      let exporter = Exporter(db: db, filter: filter, ledger: try Self.identity(db), now: now)
      switch format {
      case .csv: try exporter.csv(write)
      case .json: try exporter.json(write)
      case .fhir: try exporter.fhir(write)
      case .dicom: try exporter.dicom(write)
      }
    }
  }

  /// The UUID of this ledger.
  public func identity() throws -> String { try read { try Self.identity($0) } }

  private static func identity(_ db: Database) throws -> String {
    try String.fetchOne(db, sql: "SELECT uuid FROM ledger") ?? ""
  }
}

/// One export, over one consistent view of the ledger.
private struct Exporter {
  typealias Write = (String) throws -> Void

  let db: Database
  let filter: AuditFilter
  let ledger: String
  let now: String

  private static let columns = [
    "sop", "path", "sha256", "size", "published", "study", "series", "slice", "kind", "patient", "job",
    "job_state", "accepted", "reason", "deformation_mean", "deformation_max", "similarity_before",
    "similarity_after", "model", "model_sha256",
  ]
  private static let lineageColumns = ["settings_sha256", "software", "blas", "host", "inputs"]

  func csv(_ write: Write) throws {
    try write(Listing(columns: Self.columns + Self.lineageColumns, rows: []).csv)
    try eachOutput { row, lineage in
      let inputs = lineage.inputs.map { input in
        "\(input.role):\(input.sop)" + (input.frame.map { "#\($0)" } ?? "")
      }.joined(separator: " ")
      var listing = try Listing([row], columns: Self.columns)
      listing.rows[0] += [
        .string(lineage.settings.sha256), .string(lineage.software.version), .string(lineage.software.blas),
        .string(lineage.software.host), .string(inputs),
      ]
      try write(listing.csvRows)
    }
  }

  func json(_ write: Write) throws {
    try write(#"{"ledger":"\#(ledger)","exported":"\#(now)","jobs":["#)
    var comma = Separator()
    try each("v_jobs", .jobs) { (row: JobRow) in
      var row = row
      if filter.redact { row.redact() }
      try write(comma.next + JSONDocument(encoding: row).text)
    }
    comma = Separator()
    try write("],\"inputs\":[")
    if !filter.isAboutJobs {
      try each("v_inputs", .inputs) { (row: InputRow) in
        var row = row
        if filter.redact { row.redact() }
        try write(comma.next + JSONDocument(encoding: row).text)
      }
    }
    comma = Separator()
    try write("],\"outputs\":[")
    try eachOutput { _, lineage in try write(comma.next + JSONDocument(encoding: lineage).text) }
    comma = Separator()
    try write("],\"events\":[")
    try eachEvent { try write(comma.next + JSONDocument(encoding: $0).text) }
    try write("]}\n")
  }

  func fhir(_ write: Write) throws {
    try write(#"{"resourceType":"Bundle","type":"collection","timestamp":"\#(now)","entry":["#)
    var comma = Separator()
    try eachOutput { _, lineage in
      try write(comma.next + FHIR.entry(FHIR.provenance(lineage, ledger: ledger)).canonicalText)
    }
    try eachEvent { try write(comma.next + FHIR.entry(FHIR.auditEvent($0, ledger: ledger)).canonicalText) }
    try write("]}\n")
  }

  func dicom(_ write: Write) throws {
    let message = AuditMessage(ledger: ledger, host: ProcessInfo.processInfo.hostName)
    try eachEvent { event in
      let object = try AuditMessage.Object(db, subject: event.subject, redact: filter.redact)
      try write(message.text(event, about: object) + "\n")
    }
  }

  // MARK: Rows, one at a time

  private func each<Value: Decodable>(
    _ view: String, _ columns: AuditFilter.Columns, _ body: (Value) throws -> Void
  ) throws {
    let (sql, arguments) = try filter.query(view, columns)
    let rows = try Fetched<Value>.fetchCursor(db, sql: sql, arguments: arguments)
    while let row = try rows.next() { try body(row.value) }
  }

  private func eachOutput(_ body: (OutputRow, OutputLineage) throws -> Void) throws {
    try each("v_outputs", .outputs) { (row: OutputRow) in
      guard let lineage = try Ledger.outputLineage(db, row.sop) else {
        throw LedgerError(.damaged, subject: row.sop, detail: "the output has no lineage, run audit verify")
      }
      var row = row
      if filter.redact { row.redact() }
      try body(row, lineage)
    }
  }

  private func eachEvent(_ body: (EventRow) throws -> Void) throws {
    var columns = AuditFilter.Columns.events
    columns.order = "seq"
    var (sql, arguments) =
      filter.isAboutJobs ? try filter.query("v_jobs", .jobs) : try filter.query("v_events", columns)
    if filter.isAboutJobs { sql = AuditFilter.Columns.eventsOfJobs(sql) }
    let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
    while let row = try rows.next() { try body(EventRow(row)) }
  }
}

/// Commas between the elements of an array, none before the first.
private struct Separator {
  private var text = ""

  /// What stands before the next element.
  var next: String {
    mutating get {
      defer { text = "," }
      return text
    }
  }
}

extension AuditFilter {
  /// Does it ask for something that only jobs have?
  fileprivate var isAboutJobs: Bool { model != nil || modality != nil || state != nil || job != nil }
}
