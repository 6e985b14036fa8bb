// `fuseline retry`: gives dead letters a new set of attempts.

import ArgumentParser
import Pipeline
import Provenance

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Try jobs again that were given up.",
    discussion: """
      A job that failed as often as `retry:` in pipeline.yaml allows is a dead letter; `fuseline audit failures` says
      why. Once the cause is gone, this puts it back into the queue; the next run, or the watcher, takes it up. Sending
      its images again does the same.

      Example: fuseline retry 17
      """)

  @OptionGroup var options: ConfigurationOption
  @Argument(help: "Numbers of jobs.") var jobs: [Int64] = []
  @Flag(help: "All dead letters.") var all = false

  func run() throws {
    if jobs.isEmpty != all { throw ValidationError("say the numbers of jobs, or --all") }
    let ledger = try Ledger.open(path: try options.settings().ledger, check: false)
    let chosen = all ? try ledger.deadLetters() : jobs
    for job in chosen {
      try ledger.retry(job)
      print("job \(job) is in the queue again")
    }
    if chosen.isEmpty { print("no job was given up") }
  }
}
