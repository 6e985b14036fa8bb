// `fuseline report`: one job, or one run, as a page for a person's eyes.

import ArgumentParser
import Foundation
import Pipeline
import Report

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write one self-contained HTML page about a job or a run.",
    discussion: """
      A job's page shows fixed, moving, aligned and fused images, the deformation, numbers, decisions and lineage; its
      slices are made again from the stored inputs, and compared with what was published. Nothing else is written.

      Example: fuseline report 17 -o reports/
      Example: fuseline report --run last -o reports/ --redact
      """)

  @Argument(help: "Number of a job, or the UID of one of its outputs or of their series.") var job: String?
  @Option(help: "Number of a run, or “last”: the run's page instead of a job's.") var run: String?
  @Option(name: .shortAndLong, help: "Folder for the page; created if it is not there.") var output: String
  @Flag(help: "Leave patient attributes out.") var redact = false
  @Flag(help: "Pictures without loss, as PNG: a page about four times as large.") var lossless = false
  @OptionGroup var configuration: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (job == nil) != (run == nil) else { throw ValidationError("Name a job or, with --run, a run.") }
  }

  func run() async throws {
    let reporter = Reporter(settings: try configuration.settings(), redact: redact, lossless: lossless)
    let bar = ProgressBar()
    let written =
      if let job {
        try await reporter.writeJob(job, to: output, progress: bar.show)
      } else {
        try reporter.writeRun(run ?? "last", to: output)
      }
    if json { return try Console.printJSON(written) }
    if let note = written.note { Console.say("only published images are shown: \(note)") }
    print(written.path)
  }
}
