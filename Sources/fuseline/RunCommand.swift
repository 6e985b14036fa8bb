// `fuseline run`: one pass, then what it did.

import ArgumentParser
import Foundation
import Logging
import Pipeline
import Provenance

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "One pass: take in what is complete, fuse every pair, exit.",
    discussion: """
      Exit code 0 when everything was done, 1 when something was refused or failed and the rest was done.

      Example: fuseline run -c pipeline.yaml
      """)

  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var log: LogOptions

  func run() async throws {
    let settings = try options.settings()
    let bar = ProgressBar()
    let context = RunContext(
      settings: settings, software: .this, logger: log.logger(level: .warning), progress: bar.show)
    let report = try await RunPass(context).run()
    if json { try Console.printJSON(report) } else { RunText(report, settings: settings).print() }
    if report.hasTrouble { throw ExitStatus(code: ExitStatus.someFailed) }
  }
}

/// The summary of a pass for a person.
struct RunText {
  let report: RunReport
  let settings: Settings

  init(_ report: RunReport, settings: Settings) {
    self.report = report
    self.settings = settings
  }

  func print() {
    let summary = report.summary
    let counts = summary.instances
    Swift.print(
      "taken in   \(counts.accepted) images, \(counts.duplicate) duplicate, \(counts.skipped) skipped, "
        + "\(counts.rejected) refused")
    for job in summary.jobs { Swift.print(line(job)) }
    if summary.jobs.isEmpty { Swift.print("fused      nothing new") }
    for left in report.leftOut {
      Swift.print(
        "left out   \(left.modality) series \(left.series): \(left.reason.sentence) [\(left.reason.code)]")
    }
    if report.stillChanging > 0 {
      Swift.print("waiting    \(report.stillChanging) files are still being written; the next run takes them")
    }
    for failure in report.failures { Swift.print("trouble    \(failure)") }
    if summary.outputs > 0 { Swift.print("look in    \(settings.folders.output)") }
    if counts.rejected > 0 {
      Swift.print("refused    \(settings.folders.quarantine), a .json beside each file says why")
    }
    Swift.print("took       \(seconds(summary.seconds)); more: fuseline audit jobs")
  }

  private func line(_ job: RunSummary.Job) -> String {
    let state = job.state == .done ? "fused" : job.state.rawValue
    let start = "\(state.padding(toLength: 10, withPad: " ", startingAt: 0)) job \(job.job), "
    if job.state == .done, let series = job.series {
      return start + "series \(series): \(job.outputs) slices in \(seconds(job.seconds ?? 0))"
    }
    return start + "\(job.reason ?? "no reason given"); why: fuseline audit job \(job.job)"
  }
}
