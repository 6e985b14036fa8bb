// `fuseline audit export` and `diff`: answers for other systems, and two jobs side by side.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

extension AuditCommand {
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract: "Write outputs, lineage and events as CSV, JSON, a FHIR R4 bundle or DICOM audit messages.",
      discussion: "Example: fuseline audit export --format fhir --since yesterday > night.json")
    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var filter: FilterOptions
    @Option(
      help: "csv, json, fhir, or dicom (audit messages of PS3.15 A.5, one a line).", transform: Self.format)
    var format = ExportFormat.csv
    @Flag(help: "Leave patient attributes out.") var redact = false

    private static func format(_ text: String) throws -> ExportFormat {
      if let format = ExportFormat(rawValue: text) { return format }
      let known = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("“\(text)” is not one of \(known)")
    }

    func run() throws {
      let ledger = try Ledger.openReadOnly(path: configuration.settings().ledger)
      try ledger.export(format, filter.filter(redact: redact)) { text in
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
      }
    }
  }

  struct Difference: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff", abstract: "What differs between two jobs, slice by slice.",
      discussion: "Example: fuseline audit diff 17 23")
    @OptionGroup var options: AuditOptions
    @Argument(help: "Number of one job.") var first: Int64
    @Argument(help: "Number of the other.") var second: Int64

    func run() throws {
      let listing = try options.ledger().difference(first, second, redact: options.redact)
      if options.json { return try Console.printJSON(listing.records) }
      options.show(listing)
    }
  }
}
