// Told to stop, at whatever moment, the daemon ends with 0, and nothing is lost or blamed for it.

import Foundation
import Testing

@testable import Pipeline

@Suite(.serialized) struct StopTests {
  private static let configuration = """
    grid: {side: 32}
    intake: {quiet_time: 0 s}
    watch: {interval: 200 ms, settle_time: 0 s}

    """

  private func start(_ site: Site, _ environment: [String: String] = [:]) throws -> Process {
    let process = Process()
    process.executableURL = Site.program
    process.arguments = ["watch"]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let log = site.folder + "/log"
    try Data().write(to: URL(fileURLWithPath: log))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try process.run()
    return process
  }

  /// How the process ends; one that does not end at all is killed after ten minutes, which no expectation accepts.
  private func end(of process: Process) -> (reason: Process.TerminationReason, status: Int32) {
    let pid = process.processIdentifier
    let watchdog = DispatchWorkItem { kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 600, execute: watchdog)
    process.waitUntilExit()
    watchdog.cancel()
    return (process.terminationReason, process.terminationStatus)
  }

  private func log(_ site: Site) -> String {
    (try? String(contentsOfFile: site.folder + "/log", encoding: .utf8)) ?? ""
  }

  @Test func `SIGTERM while it starts ends it with 0`() throws {
    let isWhole = ProcessInfo.processInfo.environment["FUSELINE_FAULT_MATRIX"] != nil
    let delays = isWhole ? Array(stride(from: 0, to: 1000, by: 20)) : [0, 30, 100, 250, 500, 1000]
    for milliseconds in delays {
      let site = try Site(Self.configuration)
      let process = try start(site)
      usleep(UInt32(milliseconds) * 1000)
      kill(process.processIdentifier, SIGTERM)
      let (reason, status) = end(of: process)
      if reason == .exit {
        #expect(status == 0, "after \(milliseconds) ms: \(log(site))")
      } else {
        // Before its first line runs, while the system still loads it, there is nobody to hear a signal.
        #expect(status == SIGTERM, "after \(milliseconds) ms")
        #expect(site.files("").sorted() == ["log", "pipeline.yaml"], "after \(milliseconds) ms")
      }
      if FileManager.default.fileExists(atPath: site.folder + "/fuseline.sqlite") {
        #expect(try site.run("audit", "verify").code == 0, "after \(milliseconds) ms")
      }
    }
  }

  @Test func `SIGTERM between any two steps, to the worker as well, ends it with 0 and counts as no attempt`()
    throws
  {
    // A daemon makes no pass, retention is off, and the study shares a frame of reference.
    let unreached: Set<FaultPoint> = [
      .intakeDone, .runFinishing, .retentionReleased, .retentionRemoved, .registrationPlaced,
    ]
    let isWhole = ProcessInfo.processInfo.environment["FUSELINE_FAULT_MATRIX"] != nil
    let points =
      isWhole
      ? FaultPoint.allCases.filter { !unreached.contains($0) } : [.leaseTaken, .attemptStarted, .sliceFused]
    for point in points {
      let site = try Site(Self.configuration)
      try site.drop(Site.samples + "/ct-mr")
      try site.drop("note.txt", text: "not an image")
      let process = try start(site, ["FUSELINE_FAULT": "\(point.rawValue)=term"])
      let (reason, status) = end(of: process)
      #expect(reason == .exit && status == 0, "\(point): \(log(site))")
      let answer = try site.run(
        "audit", "sql", "SELECT count(*) FROM jobs WHERE state IN ('failed', 'rejected')", "--csv")
      #expect(answer.output.split(whereSeparator: \.isNewline).last == "0", "\(point): \(answer.output)")
      #expect(try site.run("run").code <= 1, "\(point)")
      #expect(site.files("output").count { $0.hasSuffix(".dcm") } == 12, "\(point)")
      #expect(site.files("output").count == 12, "\(point): \(site.files("output"))")
      let attempts = try site.run("audit", "sql", "SELECT state || attempts FROM jobs", "--csv")
      #expect(
        attempts.output.split(whereSeparator: \.isNewline).last == "done1", "\(point): \(attempts.output)")
      #expect(try site.run("audit", "verify").code == 0, "\(point)")
    }
  }
}
