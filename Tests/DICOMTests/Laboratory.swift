// Where the tests find Python, shared data and a scratch folder. Holds no expectations.

import Foundation

enum Laboratory {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let judge = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Judge")
  static let python = root.appending(path: ".venv/bin/python")

  static var hasPython: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

  /// A folder of `../shared/data`, nil (and a line saying so) where it is not there.
  static func shared(_ path: String) -> URL? {
    let folder = root.deletingLastPathComponent().appending(path: "shared/data/\(path)")
    guard FileManager.default.fileExists(atPath: folder.path) else {
      print("skipped: \(folder.path) is not there")
      return nil
    }
    return folder
  }

  static func scratch() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dicom-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Runs a judge script to its end and returns what it printed.
  static func run(_ script: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = python
    process.arguments = [judge.appending(path: script).path] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw JudgeFailed(script: script) }
    return String(decoding: data, as: UTF8.self)
  }

  static func files(under folder: URL) -> [String] {
    let resolved = folder.resolvingSymlinksInPath()
    let found = FileManager.default.enumerator(at: resolved, includingPropertiesForKeys: [.isRegularFileKey])
    let urls = (found?.allObjects ?? []).compactMap { $0 as? URL }
    return urls.filter { (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true }
      .map(\.path).sorted()
  }
}

struct JudgeFailed: Error {
  let script: String
}
