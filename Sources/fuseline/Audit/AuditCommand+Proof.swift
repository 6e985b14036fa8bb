// `fuseline audit`: failures, conflicts, lineage, verification and free questions.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

extension AuditCommand {
  struct Failed: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "failures", abstract: "What failed or was refused, counted by reason, and what to do.",
      discussion: "Example: fuseline audit failures --since yesterday")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      let failures = try options.ledger().failures(filter.filter(redact: options.redact))
      if options.json { return try Console.printJSON(failures) }
      try options.show(failures.counts, columns: ["count", "what", "state", "reason", "latest", "sentence"])
    }
  }

  struct Conflicts: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "conflicts", abstract: "Files and patients that contradict each other.",
      discussion: "Example: fuseline audit conflicts")
    @OptionGroup var options: AuditOptions
    @Flag(name: .customLong("show-patient-ids"), help: "Show the Patient IDs concerned.")
    var showPatientIDs = false

    func run() throws {
      try options.show(
        options.ledger().conflicts(showPatientIDs: showPatientIDs && !options.redact),
        columns: ["kind", "subject", "differing", "count", "series"])
    }
  }

  struct LineageOf: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lineage",
      abstract:
        "From an output to its inputs, model, settings and software; from an input to all made of it.",
      discussion: "Example: fuseline audit lineage 2.25.1234 --json")
    @OptionGroup var options: AuditOptions
    @Argument(help: "SOP, Series or Study Instance UID.") var uid: String

    func run() throws {
      guard var lineage = try options.ledger().lineage(uid) else {
        throw ExitStatus(code: ExitStatus.missingInput, sentence: "\(uid): the ledger knows no such UID")
      }
      if options.redact { lineage = lineage.redacted }
      if options.json { return try Console.printJSON(lineage) }
      options.show(try Tree.listing(lineage))
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract:
        "Prove that ledger and files are as they were recorded; exit code 1 and the first broken link if not.",
      discussion: "Example: fuseline audit verify --known checkpoint.json")
    @OptionGroup var options: AuditOptions
    @Option(help: "A checkpoint that was kept elsewhere, as `audit checkpoint` printed it; may be repeated.")
    var known: [String] = []
    @Option(help: "The public key that must have signed every checkpoint, hexadecimal.") var publicKey:
      String?
    @Flag(help: "Check chain, checkpoints and rows only; files are not read.") var noFiles = false

    func run() throws {
      let settings = try options.configuration.settings()
      let files = FileDigests(settings: settings)
      let digest: (RecordedFile) throws -> String? = { try files.digest($0) }
      let report = try options.ledger().verify(
        known: known.map { try Checkpoint(file: $0) }, publicKey: publicKey,
        digest: noFiles ? nil : digest)
      if options.json { try Console.printJSON(report) } else { show(report) }
      if !report.whole { throw ExitStatus(code: ExitStatus.someFailed) }
    }

    private func show(_ report: Verification) {
      print(
        "\(report.events) events, \(report.records) records, \(report.inputs) inputs, \(report.outputs) outputs checked"
      )
      if report.released > 0 {
        print("\(report.released) inputs were let go by retention; the ledger says when")
      }
      guard let first = report.first else { return print("whole: nothing was changed") }
      print("BROKEN at \(first.subject): \(first.detail)")
      for link in report.broken.dropFirst() { print("       and \(link.subject): \(link.detail)") }
    }
  }

  struct SQL: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "sql", abstract: "Ask in SQL, on a connection that cannot change anything.",
      discussion: "Example: fuseline audit sql \"SELECT kind, count(*) FROM v_jobs GROUP BY kind\"")
    @OptionGroup var options: AuditOptions
    @Argument(help: "One SELECT; docs/ledger.md describes tables and views.") var query: String
    @Option(help: "Rows at most.") var limit = 10_000

    func validate() throws {
      if options.redact {
        throw ValidationError(
          "--redact cannot be kept for a free question; leave `patients` and `path` out of it.")
      }
    }

    func run() throws {
      let listing = try options.ledger().sql(query, limit: max(1, limit))
      if options.json { return try Console.printJSON(listing.records) }
      options.show(listing)
    }
  }
}
