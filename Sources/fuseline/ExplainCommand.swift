// `fuseline explain`: the history and state of one thing, and why.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "History and state of an instance, series, study, output or file, and why.",
    discussion: "Example: fuseline explain 1.2.840.113619.2.1")

  @OptionGroup var options: ConfigurationOption
  @Argument(help: "A UID, or the path of a file.") var subject: String
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Leave patient attributes out.") var redact = false

  func run() throws {
    let explanation = try Explainer(settings: options.settings()).explain(subject, redact: redact)
    if json { return try Console.printJSON(explanation) }
    for line in explanation.findings { print(line) }
    for event in explanation.events { print("\(event.time)  \(event.kind)  \(event.subject)") }
  }
}
