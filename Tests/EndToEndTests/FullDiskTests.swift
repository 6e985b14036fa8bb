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
}
