// The watcher's numbers as Prometheus reads them; text only, who fetches it is somebody else's business.

import Foundation
import Provenance

/// Numbers of the running process that the ledger does not hold.
struct WatchNumbers: Sendable {
  var filesTakenIn = 0
  var scans = 0
  var lastScanSeconds = 0.0
  var inboxFiles = 0
  var isIntakePaused = false
}

/// One exposition in the text format of Prometheus, version 0.0.4.
struct Metrics {
  private var text = ""

  init(_ numbers: WatchNumbers, _ report: StatusReport, now: Date) {
    family("fuseline_build_info", "gauge", "The running version.", [(#"version="\#(Software.version)""#, 1)])
    let queue = report.queue
    let states: [(String, Int)] = [
      ("pending", queue.pending), ("running", queue.running), ("retrying", queue.retrying),
      ("dead", queue.dead),
      ("rejected", queue.rejected), ("done", queue.done), ("superseded", queue.superseded),
    ]
    family(
      "fuseline_jobs", "gauge", "Jobs by state; dead ones wait for a person.",
      states.map { (#"state="\#($0.0)""#, Double($0.1)) })
    gauge(
      "fuseline_studies_waiting", "Studies with images that have not been worked off.", report.studiesWaiting)
    gauge("fuseline_inbox_files", "Files in the drop folder at the last scan.", numbers.inboxFiles)
    counter(
      "fuseline_files_taken_in_total", "Files that left the drop folder since the start.",
      numbers.filesTakenIn)
    counter("fuseline_scans_total", "Scans of the drop folder since the start.", numbers.scans)
    family(
      "fuseline_scan_seconds", "gauge", "How long the last scan took.", [("", numbers.lastScanSeconds)])
    gauge("fuseline_outputs", "Fused slices in the ledger.", queue.outputs)
    gauge("fuseline_outputs_last_hour", "Fused slices published in the last hour.", report.rate.hour)
    family(
      "fuseline_oldest_waiting_seconds", "gauge",
      "Age of the oldest job or study that waits; 0 if none does.",
      [("", age(queue.oldestWaiting, now) ?? 0)])
    if let last = queue.lastPublished.flatMap(Timestamp.date) {
      family(
        "fuseline_last_output_timestamp_seconds", "gauge", "When the last slice was published.",
        [("", last.timeIntervalSince1970)])
    }
    family(
      "fuseline_updated_timestamp_seconds", "gauge", "When these numbers were taken.",
      [("", now.timeIntervalSince1970)])
    gauge("fuseline_schedule_open", "1 while pairs may be fused.", report.schedule.open ? 1 : 0)
    gauge("fuseline_intake_paused", "1 while the disks are short of space.", numbers.isIntakePaused ? 1 : 0)
    family(
      "fuseline_disk_free_bytes", "gauge", "Free space for a folder.",
      report.disks.map { (#"folder="\#($0.folder)""#, Double($0.free)) })
    family(
      "fuseline_disk_low", "gauge", "1 where less is free than the reserve.",
      report.disks.map { (#"folder="\#($0.folder)""#, $0.isLow ? 1 : 0) })
  }

  var description: String { text }

  private func age(_ time: String?, _ now: Date) -> Double? {
    time.flatMap(Timestamp.date).map { now.timeIntervalSince($0) }
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    family(name, "gauge", help, [("", Double(value))])
  }

  private mutating func counter(_ name: String, _ help: String, _ value: Int) {
    family(name, "counter", help, [("", Double(value))])
  }

  private mutating func family(_ name: String, _ type: String, _ help: String, _ samples: [(String, Double)])
  {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    for (labels, value) in samples {
      let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
      text += "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(number)\n"
    }
  }
}
