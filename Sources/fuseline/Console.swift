// Where words go: one JSON document or a listing on standard output, everything else on standard error.

import Foundation
import Pipeline
import Provenance
import Synchronization

enum Console {
  /// Prints a value as one JSON document on standard output.
  static func printJSON(_ value: some Encodable) throws {
    print(try JSONValue(encoding: value).prettyText)
  }

  static func complain(_ text: String) { say("fuseline: \(text)") }

  static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  static var outputWidth: Int { width(STDOUT_FILENO) ?? 160 }

  static func width(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }
}

/// A one-line progress bar on standard error; silent where that is not a terminal.
final class ProgressBar: Sendable {
  private let isShown = isatty(STDERR_FILENO) == 1
  private let lastLine = Mutex("")

  func show(_ event: ProgressEvent) {
    guard isShown else { return }
    switch event {
    case .takingIn(let done, let total): draw("taking in", done, total)
    case .registering(let pair): write("\r\u{1B}[Kregistering \(pair)")
    case .fusing(let pair, let done, let total): draw("fusing \(pair)", done, total)
    case .finished: clear()
    }
  }

  private func draw(_ label: String, _ done: Int, _ total: Int) {
    let cells = 24
    let filled = total == 0 ? cells : cells * done / total
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
    write("\r\u{1B}[K\(bar) \(done)/\(total) \(label)")
  }

  private func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    lastLine.withLock { last in
      if last == text { return }
      last = text
      FileHandle.standardError.write(Data(text.utf8))
    }
  }
}
