// A site of its own for a test: folders, configuration, and the program run in it as a user runs it.

import Foundation
import Testing

/// What a run of the program left behind.
struct Result {
  let code: Int32
  let output: String
  let errors: String

  /// Standard output as JSON.
  func json() throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }
}

/// A temporary folder with a pipeline.yaml, thrown away when the test ends.
final class Site {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let samples = root.appendingPathComponent("sample-studies").path
  /// Real images beside the project, where they are.
  static let shared = root.appendingPathComponent("../shared/data").standardizedFileURL.path

  static let program = root.appendingPathComponent(".build/debug/fuseline")

  let folder: String

  /// - Parameter configuration: YAML; a small grid keeps unoptimised test builds quick.
  init(_ configuration: String = "grid: {side: 64}\nintake: {quiet_time: 0 s}\n") throws {
    folder = NSTemporaryDirectory() + "fuseline-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/inbox", withIntermediateDirectories: true)
    try configuration.write(toFile: folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var inbox: String { folder + "/inbox" }

  func drop(_ path: String, as name: String? = nil) throws {
    let target = inbox + "/" + (name ?? (path as NSString).lastPathComponent)
    try FileManager.default.copyItem(atPath: path, toPath: target)
  }

  func drop(_ name: String, text: String) throws {
    try text.write(toFile: inbox + "/" + name, atomically: true, encoding: .utf8)
  }

  /// Files of a sample study whose path below it begins with a prefix.
  static func sampleFiles(_ study: String, _ prefix: String) throws -> [String] {
    let folder = samples + "/" + study
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }
      .sorted()
    return names.map { folder + "/" + $0 }.filter {
      (try? FileManager.default.attributesOfItem(atPath: $0)[.type] as? FileAttributeType) == .typeRegular
    }
  }

  /// Drops copies of files changed by a statement of Python on the data set `d`; false where the test Python is not set up.
  func dropEdited(_ files: [String], _ change: String) throws -> Bool {
    try Self.python(
      [
        "-c",
        """
        import os, sys, pydicom
        for index, path in enumerate(sys.argv[2:]):
            d = pydicom.dcmread(path)
            \(change)
            d.save_as(os.path.join(sys.argv[1], f"{index}.dcm"))
        """, inbox,
      ] + files)
  }

  /// Runs the test Python; false where it is not set up.
  static func python(_ arguments: [String]) throws -> Bool {
    let python = root.appendingPathComponent(".venv/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: python) else {
      print("skipped: no .venv; run make setup")
      return false
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return true
  }

  /// Runs the program in the site's folder.
  func run(_ arguments: String...) throws -> Result { try run(arguments: arguments) }

  func run(arguments: [String], environment: [String: String] = [:]) throws -> Result {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let out = folder + "/.stdout"
    let err = folder + "/.stderr"
    try Data().write(to: URL(fileURLWithPath: out))
    try Data().write(to: URL(fileURLWithPath: err))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: out))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: err))
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
      output: try String(contentsOfFile: out, encoding: .utf8),
      errors: try String(contentsOfFile: err, encoding: .utf8))
  }

  /// Regular files below a folder of the site, as relative paths in order.
  func files(_ name: String) -> [String] {
    let base = folder + "/" + name
    let all = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
    return all.filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: base + "/" + path, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }
}
