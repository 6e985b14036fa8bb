// Tells somebody when a job fails, is given up, or the disk runs low: a command gets the facts, never too often.

import Foundation
import Glibc
import Logging
import Provenance
import Synchronization

/// One thing that needs a person. No patient data.
struct Alert: Encodable, Sendable {
  enum Kind: String, Encodable, Sendable {
    case jobFailed = "job_failed"
    case deadLetter = "dead_letter"
    case lowSpace = "low_space"
    /// Nothing can be fused until somebody does something.
    case waiting
  }
  let kind: Kind
  var job: Int64?
  let reason: String
  let sentence: String
}

/// Raises alerts through the operator's command. Never throws and never waits: work goes on whatever comes of it.
final class Alerts: Sendable {
  /// A command that takes longer is ended, seconds.
  static let commandSeconds = 60.0

  private let settings: AlertSettings
  /// Remembers over restarts; nil where it cannot be written.
  private let ledger: Ledger?
  private let logger: Logger
  private let now: @Sendable () -> Date
  /// By kind: when it was last raised as far as this process knows, and how often it was held back since.
  private let recent = Mutex<[Alert.Kind: (raised: Date?, held: Int)]>([:])

  init(settings: AlertSettings, ledger: Ledger?, logger: Logger, now: @escaping @Sendable () -> Date) {
    self.settings = settings
    self.ledger = ledger
    self.logger = logger
    self.now = now
  }

  private struct Message: Encodable {
    let event: Alert.Kind
    let time: String
    let host: String
    let job: Int64?
    let reason: String
    let sentence: String
    /// Alerts of this kind that were held back since the last one.
    let held: Int
  }

  func raise(_ alert: Alert) {
    guard !settings.command.isEmpty else { return }
    guard let held = take(alert.kind) else { return }
    let message = Message(
      event: alert.kind, time: Timestamp.text(now()), host: ProcessInfo.processInfo.hostName, job: alert.job,
      reason: alert.reason, sentence: alert.sentence, held: held)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let text = try? encoder.encode(message) else { return }
    run(text + Data("\n".utf8), kind: alert.kind)
  }

  /// How many were held back, nil where this one is to be held back too.
  private func take(_ kind: Alert.Kind) -> Int? {
    recent.withLock { recent in
      var entry = recent[kind] ?? (nil, 0)
      defer { recent[kind] = entry }
      let age = entry.raised.map { now().timeIntervalSince($0) }
      // The ledger remembers over restarts; on a full disk it cannot be written, and this process's memory must do.
      let isDue =
        !(age.map { (0..<settings.coolDown).contains($0) } ?? false)
        && (try? ledger?.markIfDue("alert.\(kind.rawValue)", every: settings.coolDown)) ?? true
      guard isDue else {
        entry.held += 1
        return nil
      }
      defer { entry = (now(), 0) }
      return entry.held
    }
  }

  private func run(_ text: Data, kind: Alert.Kind) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: settings.command[0])
    process.arguments = Array(settings.command.dropFirst())
    let input = Pipe()
    process.standardInput = input
    process.standardOutput = FileHandle.standardError
    let logger = logger
    process.terminationHandler = { ended in
      guard ended.terminationStatus != 0 else { return }
      logger.error(
        "the alert command failed",
        metadata: ["event": "\(kind.rawValue)", "status": "\(ended.terminationStatus)"])
    }
    do {
      try process.run()
      try input.fileHandleForWriting.write(contentsOf: text)
      try input.fileHandleForWriting.close()
    } catch {
      logger.error("the alert command cannot be run", metadata: ["why": "\(error)"])
      return
    }
    let pid = process.processIdentifier
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.commandSeconds) {
      if process.isRunning { Glibc.kill(pid, SIGKILL) }
    }
  }
}
