// Scanning the drop folder and leaving alone what is still being written.

import Foundation
import Testing

@testable import Pipeline

@Suite final class DropFolderTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "drop-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/a/b", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ name: String, _ text: String, age: Double = 0) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    let date = Date(timeIntervalSinceNow: -age)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: folder + "/" + name)
  }

  @Test func `temporary names, links and folders are passed over`() throws {
    for name in ["z", "a/b/IM1", "a/x.tmp", ".hidden", "a/y.dcm.part"] { try write(name, "x") }
    try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/z")
    let files = try DropFolder(path: folder, ignore: [".*", "*.tmp", "*.part"]).scan()
    #expect(files.map(\.path) == [folder + "/a/b/IM1", folder + "/z"])
  }

  @Test func `a drop folder that is not there is an error`() {
    #expect(throws: FileError.self) { try DropFolder(path: folder + "/nowhere", ignore: []).scan() }
  }

  @Test func `old files are not waited for`() async throws {
    try write("old", "x", age: 60)
    let quiet = try await QuietFiles.wait(
      for: DropFolder(path: folder, ignore: []), quietTime: 10, now: { Date() },
      sleep: { _ in Issue.record("waited") })
    #expect(quiet.ready.count == 1)
  }

  @Test func `a file that grows while it is watched stays in the drop folder`() async throws {
    try write("old", "x", age: 60)
    try write("young", "x")
    try write("growing", "x")
    let quiet = try await QuietFiles.wait(
      for: DropFolder(path: folder, ignore: []), quietTime: 10, now: { Date() },
      sleep: { _ in try write("growing", "xyz") })
    #expect(quiet.ready.map { ($0.path as NSString).lastPathComponent } == ["old", "young"])
    #expect(quiet.changing.count == 1)
  }
}
