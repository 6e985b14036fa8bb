// `fuseline watch`: the daemon; stops cleanly on SIGTERM and SIGINT.

import ArgumentParser
import Foundation
import Logging
import Pipeline

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Watch the drop folder: take files in continuously, fuse studies as they settle.",
    discussion: """
      On SIGTERM the slice in hand is finished and the exit code is 0.

      Example: fuseline watch -c /etc/fuseline/pipeline.yaml
      """)

  @OptionGroup var options: ConfigurationOption
  @OptionGroup var log: LogOptions

  func run() async throws {
    let logger = log.logger(level: .notice)
    let settings = try options.settings()
    let uptime = { @Sendable in ProcessInfo.processInfo.systemUptime }
    let notifier = ServiceNotifier(environment: ProcessInfo.processInfo.environment, uptime: uptime)
    let context = RunContext(
      settings: settings, software: .this, logger: logger, uptime: uptime, progress: ProgressBar().show,
      notifier: notifier)
    logger.notice("watching", metadata: ["ledger": "\(settings.ledger)"])
    let watching = Task { try await Watcher(context).run() }
    StopSignal.whenHeard { watching.cancel() }
    try await watching.value
  }
}
