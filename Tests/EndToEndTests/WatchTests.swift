// The daemon: files dropped while it runs are fused, and SIGTERM ends it cleanly.

import Foundation
import Testing

@Suite struct WatchTests {
  private static let configuration = """
    grid: {side: 32}
    intake: {quiet_time: 0 s}
    watch: {interval: 200 ms, settle_time: 500 ms}

    """

  private func start(
    _ site: Site, _ options: String..., environment: [String: String] = [:]
  ) throws -> Process {
    let process = Process()
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.executableURL = Site.program
    process.arguments = ["watch"] + options
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    try Data().write(to: URL(fileURLWithPath: site.folder + "/log"))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: site.folder + "/log"))
    try process.run()
    return process
  }

  /// Waits until `condition` holds. It takes seconds; on a machine with much else to do it may take minutes.
  private func wait(for condition: () -> Bool) async throws -> Bool {
    for _ in 0..<9000 where !condition() { try await Task.sleep(for: .milliseconds(100)) }
    return condition()
  }

  @Test(.timeLimit(.minutes(30)))
  func `a study dropped while it watches is fused, and SIGTERM ends it with 0`() async throws {
    let site = try Site(Self.configuration)
    let daemon = try start(site)
    defer { daemon.terminate() }
    let isUp = try await wait { FileManager.default.fileExists(atPath: site.folder + "/fuseline.sqlite") }
    #expect(isUp)
    try site.drop(Site.samples + "/ct-mr")
    let isFused = try await wait { site.files("output").count { $0.hasSuffix(".dcm") } == 12 }
    #expect(isFused)
    #expect(try site.run("run").code == 75)
    daemon.terminate()
    daemon.waitUntilExit()
    #expect(daemon.terminationReason == .exit)
    #expect(daemon.terminationStatus == 0)
    #expect(site.files("inbox").isEmpty)
    #expect(try site.run("audit", "verify").code == 0)
    #expect(try site.run("run").code == 0)
  }

  @Test(.timeLimit(.minutes(30)))
  func `metrics, status and the log tell what it does, without a patient's name`() async throws {
    let site = try Site(Self.configuration + "metrics: {file: watch.prom}\n")
    let daemon = try start(site, "--verbose", "--log-format", "json")
    defer { daemon.terminate() }
    try site.drop(Site.samples + "/ct-mr")
    let isFused = try await wait { site.files("output").count { $0.hasSuffix(".dcm") } == 12 }
    #expect(isFused)
    let metrics = { (try? String(contentsOfFile: site.folder + "/watch.prom", encoding: .utf8)) ?? "" }
    let isTold = try await wait { metrics().contains(#"fuseline_jobs{state="done"} 1"#) }
    #expect(isTold, "\(metrics())")
    #expect(metrics().contains("fuseline_outputs 12\n") && metrics().contains("fuseline_intake_paused 0\n"))
    let status = try site.run("status", "--json").json()
    #expect((status["coordinator"] as? [String: Any])?["pid"] as? Int == Int(daemon.processIdentifier))
    #expect((status["queue"] as? [String: Any])?["done"] as? Int == 1)
    #expect(status["studies_waiting"] as? Int == 0)
    daemon.terminate()
    daemon.waitUntilExit()
    #expect(daemon.terminationStatus == 0)
    let log = try String(contentsOfFile: site.folder + "/log", encoding: .utf8)
    let lines = log.split(separator: "\n")
    #expect(lines.count > 2)
    for line in lines {
      let event = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(event["time"] != nil && event["level"] != nil && event["message"] != nil)
    }
    let names = try site.run("audit", "sql", "SELECT name, patient_id FROM patients", "--csv").output
    for name in names.split(whereSeparator: { $0 == "," || $0.isNewline }).dropFirst(2) {
      #expect(!log.contains(name) && !metrics().contains(name))
    }
  }

  @Test(.timeLimit(.minutes(30)))
  func `outside the window files are taken in and pairs wait`() async throws {
    let hour = Calendar.current.component(.hour, from: Date())
    let window = String(format: "%02d:00-%02d:00", (hour + 11) % 24, (hour + 13) % 24)
    let site = try Site(Self.configuration + "schedule: {fuse: \"\(window)\"}\n")
    let daemon = try start(site)
    defer { daemon.terminate() }
    try site.drop(Site.samples + "/ct-mr")
    let isTaken = try await wait { site.files("inbox").isEmpty && !site.files("store").isEmpty }
    #expect(isTaken)
    try await Task.sleep(for: .seconds(2))
    #expect(site.files("output").isEmpty)
    daemon.terminate()
    daemon.waitUntilExit()
    #expect(daemon.terminationStatus == 0)
  }

  /// Seconds to add to the clock so that it shows `hour` o'clock UTC, `days` after today.
  private func shift(to hour: Int, days: Int = 0) -> Int64 {
    Int64(hour * 3600 + days * 86_400) - Int64(Date().timeIntervalSince1970) % 86_400
  }

  @Test(.timeLimit(.minutes(30)))
  func
    `a night that was missed is caught up: what lies there at the start is fused, what comes after it waits`()
    async throws
  {
    let site = try Site(
      """
      grid: {side: 32}
      intake: {quiet_time: 1 s}
      watch: {interval: 1 s, settle_time: 1 s}
      schedule: {fuse: "30 1 * * *", time_zone: UTC}

      """)
    guard let clock = try site.makeClock() else { return }
    let outputs = { site.files("output").count { $0.hasSuffix(".dcm") } }
    try clock.set(shift(to: 12))
    let before = try start(site, environment: clock.environment)
    let isUp = try await wait { log(site).contains("ready") }
    #expect(isUp)
    before.terminate()
    before.waitUntilExit()
    #expect(before.terminationStatus == 0)

    try site.drop(Site.samples + "/ct-mr")
    try clock.set(shift(to: 12, days: 1))
    let after = try start(site, environment: clock.environment)
    defer { after.terminate() }
    let isCaughtUp = try await wait { outputs() == 12 }
    #expect(isCaughtUp)
    let isOver = try await wait { log(site).contains("the scheduled pass is over") }
    #expect(isOver)
    try site.drop(Site.samples + "/pet-mr")
    let isTaken = try await wait { site.files("inbox").isEmpty }
    #expect(isTaken)
    try await Task.sleep(for: .seconds(4))
    #expect(outputs() == 12)

    // Half past one comes while it runs.
    try clock.set(shift(to: 2, days: 2))
    let isFused = try await wait { outputs() == 24 }
    #expect(isFused)
    after.terminate()
    after.waitUntilExit()
    #expect(after.terminationStatus == 0)
  }

  private func log(_ site: Site) -> String {
    (try? String(contentsOfFile: site.folder + "/log", encoding: .utf8)) ?? ""
  }
}
