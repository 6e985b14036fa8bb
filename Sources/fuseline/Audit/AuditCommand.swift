// `fuseline audit`: questions to the ledger. Each subcommand asks one and prints the answer.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Ask the ledger what was done, with what, to which images.",
    discussion: "Example: fuseline audit lineage 2.25.1234 --json",
    subcommands: [
      Jobs.self, OneJob.self, Inputs.self, Outputs.self, Events.self, Runs.self, Failed.self, Conflicts.self,
      LineageOf.self, OneModel.self, Difference.self, Verify.self, Reproduce.self, Sign.self, Export.self,
      SQL.self,
    ])
}

/// Where the ledger is, and how the answer is printed.
struct AuditOptions: ParsableArguments {
  @OptionGroup var configuration: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Print comma-separated values.") var csv = false
  @Flag(help: "Leave patient attributes out.") var redact = false

  func ledger() throws -> Ledger { try Ledger.openReadOnly(path: configuration.settings().ledger) }

  /// Prints rows: all they hold as JSON, the chosen columns else.
  func show(_ rows: [some Encodable], columns: [String]) throws {
    if json { return try Console.printJSON(rows) }
    show(try Listing(rows, columns: columns))
  }

  func show(_ listing: Listing) {
    if csv { return print(listing.csv, terminator: "") }
    print(
      TextTable(listing).render(width: isatty(STDOUT_FILENO) == 1 ? Console.outputWidth : nil), terminator: ""
    )
    if listing.rows.isEmpty { Console.say("nothing of that kind is on record") }
    if listing.truncated { Console.say("there are more rows; ask for them with --limit and --offset") }
  }
}

/// What narrows a listing down.
struct FilterOptions: ParsableArguments {
  @Option(help: "From this moment on: 2026-01-31, 2026-01-31T22:00, yesterday, today, 12h, 7d.") var since:
    String?
  @Option(help: "Before this moment.") var until: String?
  @Option(help: "Patient ID, exactly.") var patient: String?
  @Option(help: "Study Instance UID.") var study: String?
  @Option(help: "Modality: CT, MR, PT or NM.") var modality: String?
  @Option(help: "State, such as done, failed, rejected, accepted.") var state: String?
  @Option(help: "Name of a model, or at least six digits of its SHA-256.") var model: String?
  @Option(help: "Rows at most.") var limit = 1000
  @Option(help: "Rows to pass over first.") var offset = 0

  func filter(redact: Bool) throws -> AuditFilter {
    AuditFilter(
      since: try since.map { try AskedMoment.date($0) }, until: try until.map { try AskedMoment.date($0) },
      patient: patient,
      study: study, modality: modality, state: state, model: model, limit: max(1, limit),
      offset: max(0, offset),
      redact: redact)
  }
}

extension AuditCommand {
  struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "jobs", abstract: "The pairs worked on, newest first.",
      discussion: "Example: fuseline audit jobs --state failed --since 7d")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      try options.show(
        options.ledger().jobs(filter.filter(redact: options.redact)),
        columns: [
          "job", "state", "reason", "kind", "slices", "outputs", "seconds", "finished", "model", "series",
        ])
    }
  }

  struct OneJob: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "job", abstract: "One job with its attempts, normalisation and slices.",
      discussion: "Example: fuseline audit job 17 --json")
    @OptionGroup var options: AuditOptions
    @Argument(help: "Number of the job.") var job: Int64

    func run() throws {
      let detail = try options.ledger().job(job, redact: options.redact)
      if options.json { return try Console.printJSON(detail) }
      options.show(try Tree.listing(detail.job))
      if let registration = detail.registration {
        print("")
        options.show(try Tree.listing(["registration": registration]))
      }
      print("")
      try options.show(
        detail.outputs.sorted { $0.slice < $1.slice },
        columns: [
          "slice", "accepted", "reason", "deformation_mean", "deformation_max", "similarity_before",
          "similarity_after",
          "seconds", "sop",
        ])
    }
  }

  struct Inputs: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inputs", abstract: "The files that came in and what became of each.",
      discussion: "Example: fuseline audit inputs --state rejected")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      try options.show(
        options.ledger().inputs(filter.filter(redact: options.redact)),
        columns: ["time", "state", "reason", "modality", "size", "sop", "path"])
    }
  }

  struct Outputs: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "outputs", abstract: "The images made.",
      discussion: "Example: fuseline audit outputs --model ct-mr --csv > outputs.csv")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      try options.show(
        options.ledger().outputs(filter.filter(redact: options.redact)),
        columns: [
          "published", "job", "kind", "slice", "accepted", "deformation_mean", "deformation_max", "sop",
          "path",
        ])
    }
  }

  struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "events", abstract: "Everything that happened, from the hash-chained record.",
      discussion: "Example: fuseline audit events --since today")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      try options.show(
        options.ledger().events(filter.filter(redact: options.redact)),
        columns: ["seq", "time", "kind", "subject", "payload"])
    }
  }
}
