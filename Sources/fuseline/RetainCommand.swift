// `fuseline retain`: lets go of what `retention:` in pipeline.yaml names and what is proven.

import ArgumentParser
import Foundation
import Logging
import Pipeline
import Provenance

struct RetainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retain", abstract: "Remove stored images that are old and proven, export old events.",
    discussion: """
      Does what `retention:` in pipeline.yaml asks for, which by default is nothing. A series goes only when all its jobs
      are done, every slice is traced to its inputs, and every file of them has, now, the bytes on record. `watch` does
      the same once a day, and exit code 75 says that it is at work. Exit code 1: something old enough had to stay.

      Example: fuseline retain --dry-run
      """)

  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Only say what would be done.") var dryRun = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var log: LogOptions

  func run() async throws {
    let settings = try options.settings()
    let logger = log.logger(level: .warning)
    let report: RetentionReport
    if dryRun {
      let ledger = try Ledger.openReadOnly(path: settings.ledger)
      report = try Retention(settings: settings, ledger: ledger, logger: logger).plan()
    } else {
      let context = RunContext(
        settings: settings, software: .this, logger: logger, progress: ProgressBar().show)
      report = try await RetentionPass(context).run()
    }
    if json { try Console.printJSON(report) } else { show(report, settings.retention) }
    if report.series.contains(where: { $0.kept != nil }) { throw ExitStatus(code: ExitStatus.someFailed) }
  }

  private func show(_ report: RetentionReport, _ settings: RetentionSettings) {
    for series in report.series {
      let size = "\(series.files) files, \(series.size >> 20) MiB"
      print(
        "series \(series.series): \(size), \(series.kept.map { "kept: \($0)" } ?? (dryRun ? "would go" : "gone"))"
      )
    }
    if settings.sources == nil { print("sources are kept for ever (retention.sources: never)") }
    if !dryRun { print("\(report.removed) files removed") }
    if let events = report.events {
      print(
        "events \(events.first) to \(events.last) \(dryRun ? "would be exported" : "exported: \(events.file)")"
      )
    }
  }
}
