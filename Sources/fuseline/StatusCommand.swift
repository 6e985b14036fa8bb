// `fuseline status`: how the installation is doing, on one screen.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Queue, rate, last run, next window, disks and dead letters on one screen.",
    discussion: """
      Reads only, also while the watcher works. Exit code 1 when something needs a person: dead letters, a disk below its
      reserve, a drop folder that cannot be read.

      Example: fuseline status
      """)

  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let report = try StatusReport(settings: try options.settings())
    if json { try Console.printJSON(report) } else { StatusText(report).print() }
    if report.needsAttention { throw ExitStatus(code: ExitStatus.someFailed) }
  }
}

/// The status for a person.
private struct StatusText {
  let report: StatusReport

  init(_ report: StatusReport) { self.report = report }

  func print() {
    for (name, text) in lines() {
      Swift.print(name.padding(toLength: 11, withPad: " ", startingAt: 0) + text)
    }
  }

  private func lines() -> [(String, String)] {
    let queue = report.queue
    var lines = [
      ("watcher", coordinator),
      ("inbox", inbox),
      ("studies", "\(report.studiesWaiting) waiting to be worked off"),
      (
        "jobs",
        "\(queue.pending) pending, \(queue.running) running, \(queue.retrying) to be tried again, \(queue.dead) dead, "
          + "\(queue.rejected) rejected, \(queue.done) done"
      ),
      ("waiting", queue.oldestWaiting.map { "the oldest job or study since \($0)" } ?? "nothing"),
      (
        "outputs",
        "\(queue.outputs) slices; \(report.rate.hour) in the last hour, \(report.rate.day) in the last day"
      ),
      ("last run", lastRun),
      ("schedule", schedule),
    ]
    for disk in report.disks {
      let percent = disk.total == 0 ? 0 : 100 * disk.free / disk.total
      lines.append(
        (
          disk.folder,
          "\(disk.free >> 20) MiB free, \(percent) %\(disk.isLow ? " – below the reserve: waits" : "")"
        ))
    }
    for dead in report.deadLetters {
      lines.append(
        ("dead", "job \(dead.job), \(dead.kind): \(dead.sentence ?? dead.reason) [\(dead.reason)]"))
    }
    if !report.deadLetters.isEmpty {
      lines.append(("", "once the cause is gone: fuseline retry --all, or send the images again"))
    }
    return lines
  }

  private var coordinator: String {
    guard let owner = report.coordinator else { return "not running" }
    let place = "process \(owner.pid) on \(owner.host) since \(owner.since)"
    return owner.alive ? place : "\(place), its lease has expired: it is gone or hangs"
  }

  private var inbox: String {
    guard report.inbox.isReadable else { return "cannot be read" }
    let oldest = report.inbox.oldestSeconds.map { ", the oldest changed \(Int($0)) s ago" } ?? ""
    return "\(report.inbox.files) files, \(report.inbox.bytes >> 20) MiB\(oldest)"
  }

  private var lastRun: String {
    guard let run = report.lastRun else { return "none yet" }
    return "\(run.run), \(run.command), \(run.state), since \(run.started)"
      + (run.finished.map { " until \($0)" } ?? "")
  }

  private var schedule: String {
    (report.schedule.open ? "open" : "closed") + (report.schedule.next.map { ", next opening \($0)" } ?? "")
  }
}
