// `fuseline audit model` and `audit runs`: what was made with one set of weights, and which processes worked.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

extension AuditCommand {
  struct OneModel: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "model",
      abstract: "Everything made with one model: counts by kind and state, then every job.",
      discussion: """
        Example: fuseline audit model 9f86d081884c
        The images themselves: fuseline audit outputs --model 9f86d081884c --csv
        """)
    @OptionGroup var options: AuditOptions
    @Argument(help: "At least six first digits of the SHA-256 of the weights, or a name.") var model: String
    @Option(help: "Rows at most.") var limit = 1000
    @Option(help: "Rows to pass over first.") var offset = 0

    private struct Answer: Encodable {
      let models: [ModelAccount]
      let jobs: [JobRow]
    }

    func run() throws {
      let ledger = try options.ledger()
      let models = try ledger.models(model)
      guard !models.isEmpty else {
        throw ExitStatus(
          code: ExitStatus.missingInput,
          sentence:
            "\(model): nothing was made with such a model; give a name or at least six digits of its SHA-256")
      }
      let jobs = try ledger.jobs(
        AuditFilter(model: model, limit: max(1, limit), offset: max(0, offset), redact: options.redact))
      if options.json { return try Console.printJSON(Answer(models: models, jobs: jobs)) }
      if !options.csv { try show(models) }
      try options.show(
        jobs, columns: ["job", "state", "kind", "outputs", "finished", "model_sha256", "study", "series"])
    }

    private func show(_ models: [ModelAccount]) throws {
      for model in models {
        let span = [model.firstPublished, model.lastPublished].compactMap { $0?.prefix(10) }.joined(
          separator: " to ")
        print("\(model.name)  SHA-256 \(model.sha256)\(span.isEmpty ? "" : ", published \(span)")")
        try options.show(
          model.kinds, columns: ["kind", "state", "jobs", "outputs", "undeformed", "mean_mm", "max_mm"])
        print("")
      }
    }
  }

  struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "runs", abstract: "The runs, newest first: when, with what, what came in.",
      discussion: "Example: fuseline audit runs --since 7d")
    @OptionGroup var options: AuditOptions
    @OptionGroup var filter: FilterOptions

    func run() throws {
      try options.show(
        options.ledger().runs(filter.filter(redact: options.redact)),
        columns: [
          "run", "command", "state", "started", "finished", "accepted", "duplicate", "skipped", "rejected",
          "attempts", "host",
        ])
    }
  }
}
