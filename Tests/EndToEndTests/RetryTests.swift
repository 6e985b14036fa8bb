// Workers that crash or hang, jobs that are given up, and how they come back.

import Foundation
import Testing

@Suite struct RetryTests {
  private static let configuration = """
    grid: {side: 32}
    intake: {quiet_time: 0 s}
    retry: {deadline: {attempts: 1}, crash: {attempts: 2}}
    alerts: {command: ["/bin/sh", "-c", "cat >> alerts.txt"], cool_down: 0 s}

    """

  private func site() throws -> Site {
    let site = try Site(Self.configuration)
    try site.drop(Site.samples + "/ct-mr")
    return site
  }

  private func configure(_ site: Site, _ yaml: String) throws {
    try yaml.write(toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
  }

  private func fail(_ site: Site, _ fault: String) throws -> Result {
    try site.run(
      arguments: ["run"], environment: ["FUSELINE_FAULT": fault, "SWIFT_BACKTRACE": "enable=no"])
  }

  /// What the alert command was given; it is a process of its own that nobody waits for.
  private func alerts(_ site: Site, until word: String) -> String {
    var text = ""
    for _ in 0..<6000 where !text.contains(word) {
      usleep(100_000)
      text = (try? String(contentsOfFile: site.folder + "/alerts.txt", encoding: .utf8)) ?? ""
    }
    return text
  }

  private func jobs(_ site: Site) throws -> [String] {
    let output = try site.run(
      "audit", "sql", "SELECT state || ' ' || coalesce(reason, '') || ' ' || attempts FROM jobs", "--csv"
    ).output
    return output.split(whereSeparator: \.isNewline).dropFirst().map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  @Test func `a worker that hangs is killed at the deadline, and a resend opens a fresh job`()
    throws
  {
    let site = try site()
    try configure(site, Self.configuration + "processing: {deadline: 3 s}\n")
    #expect(try fail(site, "slice-fused=hang").code == 1)
    try configure(site, Self.configuration)
    #expect(try jobs(site) == ["failed timeout 1"])
    #expect(try site.run("status").code == 1)
    let again = try site.run("run")
    #expect(again.code == 0 && site.files("output").isEmpty, "a dead letter is not tried again by itself")
    let alert = alerts(site, until: "dead_letter")
    #expect(alert.contains(#""event":"dead_letter""#) && alert.contains(#""reason":"timeout""#))
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    #expect(try jobs(site) == ["superseded timeout 1", "done  1"], "the dead one stays as history")
    #expect(site.files("output").count == 12)
    #expect(try site.run("status").code == 0)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `a worker that crashes costs one attempt; given up, a word of the operator brings the job back`()
    throws
  {
    let site = try site()
    #expect(try fail(site, "part-written=crash").code == 1)
    #expect(try jobs(site) == ["failed worker_crashed 1"])
    #expect(site.files("output").allSatisfy { $0.hasSuffix(".dcm") })
    #expect(try fail(site, "pair-prepared=crash").code == 134)
    #expect(try fail(site, "slice-fused=crash").code == 1)
    #expect(try site.run("retry", "--all").output.contains("job 1"))
    #expect(try site.run("run").code == 0)
    #expect(site.files("output").count == 12)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `below the reserve nothing is taken in, and it goes on by itself`() throws {
    let site = try Site(Self.configuration + "limits: {free_percent: 99.9 %}\n")
    try site.drop(Site.samples + "/ct-mr")
    let low = try site.run("run")
    #expect(low.code == 74 && low.errors.contains("less than the reserve"))
    #expect(!site.files("inbox").isEmpty && site.files("store").isEmpty)
    let status = try site.run("status", "--json").json()
    let disks = try #require(status["disks"] as? [[String: Any]])
    #expect(disks.allSatisfy { $0["low"] as? Bool == true })
    try configure(site, Self.configuration)
    #expect(try site.run("run").code == 0)
    #expect(site.files("output").count == 12)
  }

  /// Processes whose parent is `pid`, as /proc tells.
  private func children(of pid: Int32) -> [Int32] {
    let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap {
      Int32($0)
    }
    return numbers.filter { number in
      guard let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
      else { return false }
      return stat[stat.index(after: end)...].split(separator: " ").dropFirst().first == "\(pid)"
    }
  }

  @Test(.timeLimit(.minutes(30)))
  func `a worker that is killed at any moment does not take the watcher with it`() throws {
    let site = try Site(
      """
      grid: {side: 32}
      intake: {quiet_time: 0 s}
      watch: {interval: 200 ms, settle_time: 0 s}
      retry: {crash: {attempts: 0, delay: 100 ms, multiplier: 1, maximum: 100 ms}}

      """)
    try site.drop(Site.samples + "/ct-mr")
    let process = Process()
    process.executableURL = Site.program
    process.arguments = ["watch"]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.terminate() }
    let outputs = { site.files("output").count { $0.hasSuffix(".dcm") } }
    var kills = 0
    // A thread sleeps, not the task: that one may wake when other tests leave it a thread, all workers gone by then.
    for pause in 0..<6000 where kills < 25 && outputs() < 12 && process.isRunning {
      let workers = children(of: process.processIdentifier)
      // Some as soon as they are there, others when they are at work.
      Thread.sleep(forTimeInterval: Double(workers.isEmpty ? 20 : pause % 7 * 40) / 1000)
      for worker in workers where kill(worker, SIGKILL) == 0 { kills += 1 }
    }
    for _ in 0..<9000 where outputs() < 12 && process.isRunning {
      Thread.sleep(forTimeInterval: 0.1)
    }
    #expect(kills > 0)
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    #expect(outputs() == 12)
  }
}
