// The log on standard error: a line of text or a JSON document for each event. What is logged holds no patient data.

import ArgumentParser
import Foundation
import Logging
import Provenance

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

struct ConsoleLog: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  let format: LogFormat

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
    let time = Timestamp.text(Date())
    let line =
      switch format {
      case .text:
        ([time, event.level.rawValue, "\(event.message)"]
          + facts.sorted { $0.key < $1.key }.map { fact($0, $1) })
          .joined(separator: " ")
      case .json: json(facts, ["time": time, "level": event.level.rawValue, "message": "\(event.message)"])
      }
    Console.say(line)
  }

  private func json(_ facts: [String: String], _ fixed: [String: String]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Text keyed by text always encodes.
    let data = (try? encoder.encode(facts.merging(fixed) { $1 })) ?? Data()
    return String(decoding: data, as: UTF8.self)
  }

  private func fact(_ key: String, _ value: String) -> String {
    let isPlain = !value.contains { $0.isWhitespace || $0 == "\"" || $0 == "=" }
    return isPlain
      ? "\(key)=\(value)" : "\(key)=\"\(value.replacing("\"", with: "'").replacing("\n", with: " "))\""
  }
}

/// How much is logged, and in which form.
struct LogOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say every step on standard error.") var verbose = false
  @Option(help: "Form of the log on standard error: text or json, a document a line.") var logFormat =
    LogFormat.text

  /// - Parameter level: the least that is logged unless verbose.
  func logger(level: Logger.Level) -> Logger {
    let format = logFormat
    var logger = Logger(label: "fuseline") { _ in ConsoleLog(format: format) }
    logger.logLevel = verbose ? .debug : level
    return logger
  }
}
