// An output folder that runs full: nothing half-written, a clear answer, and the rest is done once there is room.

import Foundation
import Testing

@Suite struct FullDiskTests {
  @discardableResult private func shell(_ command: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test func `a full output folder fails the job, and the next run with room finishes it`() throws {
    let site = try Site(
      "grid: {side: 64}\nintake: {quiet_time: 0 s}\nlimits: {free_space: 0 B, free_percent: 0 %}\n")
    let output = site.folder + "/output"
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    guard try shell("mount -t tmpfs -o size=100k tmpfs '\(output)'") == 0 else {
      print("skipped: mounting a small file system needs root")
      return
    }
    defer { _ = try? shell("umount '\(output)'") }
    try site.drop(Site.samples + "/pet-mr")
    let full = try site.run("run")
    #expect(full.code == 74, "\(full.errors)")
    #expect(full.errors.contains("No space left"))
    #expect(site.files("output").allSatisfy { $0.hasSuffix(".dcm") && !$0.contains("/.") })
    #expect(try site.run("audit", "failures").output.contains("no_space"))
    #expect(try shell("mount -o remount,size=20m '\(output)'") == 0)
    let roomy = try site.run("run")
    #expect(roomy.code == 0, "\(roomy.errors)")
    #expect(site.files("output").count == 12)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test(.timeLimit(.minutes(30)))
  func `a watcher whose ledger has no room left waits, and goes on by itself when there is some`()
    async throws
  {
    let site = try Site(
      """
      ledger: ledger/fuseline.sqlite
      grid: {side: 32}
      intake: {quiet_time: 0 s}
      watch: {interval: 500 ms, settle_time: 0 s}
      limits: {free_space: 0 B, free_percent: 0 %}

      """)
    let disk = site.folder + "/ledger"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    guard try shell("mount -t tmpfs -o size=8m tmpfs '\(disk)'") == 0 else {
      print("skipped: mounting a small file system needs root")
      return
    }
    defer { _ = try? shell("umount -l '\(disk)'") }
    let log = site.folder + "/log"
    let pauses = { read(log).components(separatedBy: " waits").count - 1 }
    let outputs = { site.files("output").count { $0.hasSuffix(".dcm") } }
    // Full from the start, and again when it has been at work.
    try shell("cat /dev/zero > '\(disk)/filler'")
    let process = Process()
    process.executableURL = Site.program
    process.arguments = ["watch"]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    try Data().write(to: URL(fileURLWithPath: log))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try process.run()
    defer { process.terminate() }
    #expect(try await wait { pauses() > 0 })
    try shell("rm '\(disk)/filler'")
    try site.drop(Site.samples + "/ct-mr")
    #expect(try await wait { outputs() == 12 })
    try shell("cat /dev/zero > '\(disk)/filler'")
    let before = pauses()
    try site.drop(Site.samples + "/pet-mr")
    // What has been written of the ledger's log is used again, so that intake may get some way before it waits.
    #expect(try await wait { pauses() > before || outputs() == 24 })
    #expect(process.isRunning, "\(read(log))")
    try shell("rm '\(disk)/filler'")
    #expect(try await wait { outputs() == 24 })
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try site.run("audit", "verify").code == 0)
    #expect(try site.run("run").code == 0)
  }

  private func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  /// Waits until `condition` holds. It takes seconds; on a machine with much else to do it may take minutes.
  private func wait(for condition: () -> Bool) async throws -> Bool {
    for _ in 0..<9000 where !condition() { try await Task.sleep(for: .milliseconds(100)) }
    return condition()
  }
}
