// A wall clock that a test sets for the program alone: a small library preloaded into it.

import Foundation
import Testing

struct ShiftedClock {
  private let file: URL
  /// To run the program with.
  let environment: [String: String]

  fileprivate init(file: URL, library: String) {
    self.file = file
    environment = ["LD_PRELOAD": library, "FUSELINE_TEST_CLOCK": file.path]
  }

  /// Shows the real time and so many seconds more, from now on. In place: running programs have mapped the file.
  func set(_ seconds: Int64) throws {
    let handle = try FileHandle(forUpdating: file)
    try handle.write(contentsOf: withUnsafeBytes(of: seconds.littleEndian) { Data($0) })
    try handle.close()
  }
}

extension Site {
  /// - Returns: nil where there is no C compiler, which is said.
  func makeClock() throws -> ShiftedClock? {
    let source = Site.root.appendingPathComponent("Tests/Soak/clock.c").path
    let library = folder + "/clock.so"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else {
      print("skipped: no C compiler")
      return nil
    }
    let file = URL(fileURLWithPath: folder + "/clock")
    try Data(count: 8).write(to: file)
    return ShiftedClock(file: file, library: library)
  }
}
