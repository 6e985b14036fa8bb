// The watcher's scan by scan view of the drop folder, on a clock that the test moves: who writes how, and what is taken.

import Foundation
import Logging
import Provenance
import Synchronization
import Testing

@testable import Pipeline

/// A clock that only the test moves, seconds.
private final class TestClock: Sendable {
  private let value = Mutex(0.0)
  var seconds: Double { value.withLock { $0 } }
  func advance(_ seconds: Double) { value.withLock { $0 += seconds } }
}

@Suite final class DropWatchTests {
  private static let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("sample-studies/ct-mr")
  private static let quiet = 5.0
  private static let interval = 10.0

  private let folder: String
  private let clock = TestClock()
  private let watch: DropWatch
  private let ledger: Ledger
  private let bytes: Data

  init() throws {
    folder = NSTemporaryDirectory() + "watch-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/inbox", withIntermediateDirectories: true)
    let settings = try Settings(
      yaml: "limits: {free_space: 0 B, free_percent: 0 %}\nwatch: {events: false}\n",
      file: folder + "/pipeline.yaml")
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ledger = try Ledger.open(path: settings.ledger)
    let context = RunContext(
      settings: settings, software: Software(blas: "none", kernels: "none", host: "test"), logger: logger,
      uptime: { [clock] in clock.seconds }, progress: { _ in })
    let intake = Intake(
      folders: settings.folders, archives: settings.intake.archives, ignore: settings.intake.ignore,
      ledger: ledger,
      run: try ledger.beginRun(command: "watch", settings: nil, software: nil), logger: logger,
      now: { Date() })
    watch = DropWatch(
      intake: intake,
      alerts: Alerts(settings: settings.alerts, ledger: ledger, logger: logger, now: { Date() }),
      context: context)
    let names = try FileManager.default.subpathsOfDirectory(atPath: Self.sample.path)
      .filter { $0.hasPrefix("MR_") && !$0.hasSuffix(".json") }.sorted()
    let file = try #require(
      names.map { Self.sample.appendingPathComponent($0) }.first {
        (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) ?? false
      })
    bytes = try Data(contentsOf: file)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ name: String, _ data: Data) throws {
    try data.write(to: URL(fileURLWithPath: folder + "/inbox/" + name))
  }

  private func append(_ name: String, _ data: Data) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/inbox/" + name))
    try file.seekToEnd()
    try file.write(contentsOf: data)
    try file.close()
  }

  private func counts() throws -> [String: Int64] {
    let rows = try ledger.sql("SELECT outcome, count(*) FROM intake GROUP BY outcome").rows
    return Dictionary(
      uniqueKeysWithValues: rows.compactMap { row in
        guard case .string(let name) = row[0], case .integer(let count) = row[1] else { return nil }
        return (name, count)
      })
  }

  /// Lets time pass in steps of half a second, as the watcher's loop does.
  private func pass(_ seconds: Double) throws {
    for _ in 0..<Int(seconds * 2) {
      clock.advance(0.5)
      try watch.round()
    }
  }

  @Test func `a file is taken after the quiet time and two scans, not earlier`() throws {
    try write("a", bytes)
    try watch.round()
    try pass(Self.quiet - 0.5)
    #expect(try counts().isEmpty)
    try pass(Self.interval + 0.5)
    #expect(try counts() == ["accepted": 1])
  }

  @Test func `without events a file waits at most the quiet time and two scans`() throws {
    try watch.round()
    try pass(3)
    try write("a", bytes)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
  }

  @Test func `a writer that pauses for three times the quiet time is waited for`() throws {
    let piece = max(1, bytes.count / 5)
    try write("slow", Data())
    for start in stride(from: 0, to: bytes.count, by: piece) {
      try append("slow", bytes[start..<min(start + piece, bytes.count)])
      try pass(3 * Self.quiet)
    }
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
  }

  @Test func `a file that stays too short is refused in the end, and comes back when it grows`() throws {
    try write("short", bytes.prefix(bytes.count / 2))
    let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/inbox/short"))
    try writer.seekToEnd()
    try pass(700)
    #expect(try counts() == ["rejected": 1])
    try writer.write(contentsOf: bytes.dropFirst(bytes.count / 2))
    try writer.close()
    try pass(100)
    #expect(try counts() == ["rejected": 1, "accepted": 1])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/quarantine/truncated").isEmpty)
  }

  @Test
  func
    `an archive that is still being written is waited for, and one that was refused comes back when it grows`()
    throws
  {
    let zip = folder + "/whole.zip"
    try bytes.write(to: URL(fileURLWithPath: folder + "/IM1"))
    guard try shell("cd '\(folder)' && python3 -m zipfile -c whole.zip IM1") == 0 else {
      print("skipped: no python3")
      return
    }
    let packed = try Data(contentsOf: URL(fileURLWithPath: zip))
    for (name, pause) in [("quick.zip", 3 * Self.quiet), ("slow.zip", 700)] {
      try write(name, packed.prefix(packed.count / 2))
      let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/inbox/" + name))
      try writer.seekToEnd()
      try pass(pause)
      #expect(try counts()["rejected"] == (name == "slow.zip" ? 1 : nil))
      try writer.write(contentsOf: packed.dropFirst(packed.count / 2))
      try writer.close()
      try pass(100)
    }
    #expect(try counts() == ["accepted": 1, "skipped": 1, "rejected": 1, "duplicate": 2])
  }

  @Test func `rsync writes under temporary names and renames: one file, taken once`() throws {
    try write(".IM1.Xa3f9Q", bytes.prefix(1000))
    try pass(60)
    try append(".IM1.Xa3f9Q", bytes.dropFirst(1000))
    try FileManager.default.moveItem(
      atPath: folder + "/inbox/.IM1.Xa3f9Q", toPath: folder + "/inbox/IM1")
    try write("IM2.part", bytes)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/inbox") == ["IM2.part"])
  }

  @Test func `a clock put back an hour holds nothing up`() throws {
    try write("future", bytes)
    let later = Date(timeIntervalSinceNow: 3600)
    try FileManager.default.setAttributes([.modificationDate: later], ofItemAtPath: folder + "/inbox/future")
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
  }

  @Test func `a file renamed over another of the same size and time is another file`() throws {
    try write("a", bytes)
    try watch.round()
    try pass(4)
    var other = bytes
    other[other.count - 1] ^= 1
    try write("b.tmp", other)
    let time = try FileManager.default.attributesOfItem(atPath: folder + "/inbox/a")[.modificationDate]
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(time)], ofItemAtPath: folder + "/inbox/b.tmp")
    #expect(rename(folder + "/inbox/b.tmp", folder + "/inbox/a") == 0)
    try pass(3)
    #expect(try counts().isEmpty)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
  }

  @Test func `while files wait for a quota that is used up, no study is complete`() throws {
    // Names run out on this file system long before bytes do, as with a quota: free space says nothing.
    let store = folder + "/store"
    try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
    guard try shell("mount -t tmpfs -o size=10m,nr_inodes=3 tmpfs '\(store)'") == 0 else {
      print("skipped: mounting a small file system needs root")
      return
    }
    defer { _ = try? shell("umount '\(store)'") }
    try write("a", bytes)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts().isEmpty)
    #expect(watch.holds(study: "1.2.3"))
    #expect(try shell("mount -o remount,nr_inodes=1000 '\(store)'") == 0)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts() == ["accepted": 1])
    #expect(!watch.holds(study: "1.2.3"))
  }

  @Test func `an image of an archive that cannot be given its place holds its study back`() throws {
    let root = Self.sample.deletingLastPathComponent().deletingLastPathComponent().path
    guard FileManager.default.isExecutableFile(atPath: root + "/.venv/bin/python") else {
      print("skipped: no .venv; run make setup")
      return
    }
    // The image that comes twice has what came before it recorded. Where the last one belongs, something else lies.
    let script = """
      import os, sys, zipfile, pydicom
      top, samples = sys.argv[1:]
      first, second = [os.path.join(samples, n) for n in sorted(os.listdir(samples))][:2]
      with zipfile.ZipFile(top + "/inbox/study.zip", "w") as z:
          for name, path in [("1", first), ("2", first), ("3", second)]:
              z.write(path, name)
      d = pydicom.dcmread(second)
      place = os.path.join(top, "store", d.StudyInstanceUID, d.SeriesInstanceUID, d.SOPInstanceUID + ".dcm")
      os.makedirs(os.path.dirname(place))
      os.symlink("nowhere", place)
      open(top + "/study", "w").write(d.StudyInstanceUID)
      """
    try script.write(toFile: folder + "/make.py", atomically: true, encoding: .utf8)
    let samples = Self.sample.path + "/MR_AX_T2_TSE"
    #expect(try shell("'\(root)/.venv/bin/python' '\(folder)/make.py' '\(folder)' '\(samples)'") == 0)
    let study = try String(contentsOfFile: folder + "/study", encoding: .utf8)
    for _ in 0..<2 {
      try pass(Self.quiet + 2 * Self.interval)
      #expect(try counts()["accepted"] == 1)
      #expect(watch.holds(study: study))
    }
    #expect(try shell("find '\(folder)/store' -type l -delete") == 0)
    try pass(Self.quiet + 2 * Self.interval)
    #expect(try counts()["accepted"] == 2)
    #expect(!watch.holds(study: study))
  }

  private func shell(_ command: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
