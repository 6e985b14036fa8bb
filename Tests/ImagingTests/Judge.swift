// Runs the scripts of Judge/ with the checkout's Python and reads their answers; knows no image processing.

import Foundation

enum Judge {
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let python = checkout.appending(path: ".venv/bin/python")
  static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: python.path) }
  static let absence = "needs .venv/bin/python with Tests/requirements.txt (make setup)"

  struct Failure: Error, CustomStringConvertible { let description: String }

  /// A fresh folder for the exchange, removed afterwards.
  static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fuseline-judge-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  static func run(_ script: String, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = python
    process.arguments = [checkout.appending(path: "Tests/ImagingTests/Judge/\(script)").path] + arguments
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(script): \(String(decoding: text, as: UTF8.self))")
    }
  }

  static func write(_ values: [Float], to file: URL) throws {
    try values.withUnsafeBytes { try Data($0).write(to: file) }
  }

  static func floats(_ file: URL) throws -> [Float] {
    let data = try Data(contentsOf: file)
    return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }
}
