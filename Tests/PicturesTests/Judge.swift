// Runs Pillow, the independent judge of our PNG files, from the checkout's .venv.

import Foundation
import Imaging

@testable import Pictures

enum Judge {
  /// What Pillow says of a picture: samples in `[row][column][channel]` order.
  struct Opinion: Equatable {
    var columns: Int
    var rows: Int
    var samples: [Int]
  }

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let python = root.appending(path: ".venv/bin/python")
  static let script = root.appending(path: "Tests/PicturesTests/Judge/pictures.py")
  static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

  @discardableResult
  static func run(_ verb: String, _ path: String) throws -> Data {
    let process = Process()
    process.executableURL = python
    process.arguments = [script.path, verb, path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    return data
  }

  static func opinion(of path: String) throws -> Opinion { try parse(run("read", path)) }

  static func parse(_ data: Data) throws -> Opinion {
    guard let list = try JSONSerialization.jsonObject(with: data) as? [Any], list.count == 4,
      let columns = list[0] as? Int, let rows = list[1] as? Int, let samples = list[3] as? [Int]
    else { throw CocoaError(.fileReadCorruptFile) }
    return Opinion(columns: columns, rows: rows, samples: samples)
  }
}

/// A folder that is gone when the test ends.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "fuseline-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// Values that fill 0…1 unevenly, the same in every run.
func plane(columns: Int, rows: Int, seed: Int = 1) -> Plane {
  Plane(
    columns: columns, rows: rows,
    pixels: (0..<columns * rows).map { Float(($0 * 7919 + seed * 104_729) % 10_007) / 10_006 })
}
