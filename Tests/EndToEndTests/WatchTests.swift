// The daemon: files dropped while it runs are fused, and SIGTERM ends it cleanly.

import Foundation
import Testing

@Suite struct WatchTests {
  private static let configuration = """
    grid: {side: 32}
    intake: {quiet_time: 0 s}
    watch: {interval: 200 ms, settle_time: 500 ms}

    """

  private func start(_ site: Site) throws -> Process {
    let process = Process()
    process.executableURL = Site.program
    process.arguments = ["watch"]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Waits until `condition` holds, a minute at most.
  private func wait(for condition: () -> Bool) async throws -> Bool {
    for _ in 0..<600 where !condition() { try await Task.sleep(for: .milliseconds(100)) }
    return condition()
  }

  @Test(.timeLimit(.minutes(3)))
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

  @Test(.timeLimit(.minutes(3)))
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
}
