// From pipeline.yaml to `Settings`: which keys there are, their types, units and ranges.

import Foundation
import Imaging
import Yams

extension Settings {
  /// Reads a configuration file over the built-in default.
  ///
  /// - Parameter path: the YAML file; its folder is what relative paths are resolved against.
  /// - Throws: `ConfigurationError` with file, line, column, key and what to do.
  public init(contentsOf path: String) throws {
    try self.init(yaml: Self.text(contentsOf: path), file: path)
  }

  /// The text of a configuration file.
  ///
  /// - Throws: `ConfigurationError` where it cannot be read.
  public static func text(contentsOf path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(
        file: path, message: "cannot be read; write one with `fuseline config default`")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads configuration text; `file` names it in errors and gives the base folder of relative paths.
  public init(yaml: String, file: String) throws {
    let top = YAMLSection(
      file: file, path: "", user: try Self.compose(yaml, file: file),
      fallback: try Self.compose(Self.defaultText, file: "default pipeline.yaml"))
    try top.allow([
      "folders", "ledger", "checkpoint_key", "models", "intake", "watch", "schedule", "pairing", "selection",
      "grid",
      "normalization", "alignment", "output", "processing", "retry", "alerts", "limits", "metrics",
      "retention",
    ])
    let base = URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent()
    func absolute(_ path: String) -> String {
      URL(fileURLWithPath: path, relativeTo: base).standardizedFileURL.path
    }
    folders = try Folders(top.section("folders"), absolute: absolute)
    ledger = absolute(try top.string("ledger"))
    let key = try top.string("checkpoint_key")
    checkpointKey = key.isEmpty ? nil : absolute(key)
    let models = try top.string("models")
    self.models = models.isEmpty ? nil : absolute(models)
    intake = try IntakeSettings(top.section("intake"))
    watch = try WatchSettings(top.section("watch"))
    schedule = try Schedule(top.section("schedule"))
    pairing = try PairingSettings(top.section("pairing"))
    selection = try SelectionSettings(top.section("selection"))
    grid = try GridSettings(top.section("grid"))
    normalization = try NormalizationSettings.all(top.section("normalization"))
    alignment = try AlignmentSettings(top.section("alignment"))
    output = try OutputSettings(top.section("output"))
    processing = try ProcessingSettings(top.section("processing"))
    retry = try RetrySettings(top.section("retry"))
    alerts = try AlertSettings(top.section("alerts"))
    limits = try LimitSettings(top.section("limits"))
    metrics = try MetricsSettings(top.section("metrics"), absolute: absolute)
    retention = try RetentionSettings(top.section("retention"), absolute: absolute)
    try checkCombinations(top)
  }

  /// The commented default that ships with the program.
  public static var defaultText: String { String(decoding: PackageResources.pipeline_yaml, as: UTF8.self) }

  static func compose(_ text: String, file: String) throws -> Node.Mapping? {
    do {
      guard let node = try Yams.compose(yaml: text) else { return nil }
      guard let mapping = node.mapping else {
        throw ConfigurationError(
          file: file, line: node.mark?.line, column: node.mark?.column,
          message: "expected keys and values at the top level")
      }
      return mapping
    } catch let error as YamlError {
      throw ConfigurationError(yaml: error, file: file)
    }
  }

  private func checkCombinations(_ top: YAMLSection) throws {
    let paths = [folders.inbox, folders.store, folders.output, folders.quarantine]
    for (i, a) in paths.enumerated() {
      for b in paths[(i + 1)...] where a == b || a.hasPrefix(b + "/") || b.hasPrefix(a + "/") {
        throw top.error("folders", "\(a) and \(b) overlap; each folder must be apart from the others")
      }
    }
    for rule in pairing.rules {
      for side in [rule.fixed, rule.moving] where normalization[side.modality] == nil {
        throw top.error(
          "normalization", "has no entry for \(side.modality), which the rule \(rule.name) needs")
      }
    }
  }
}

extension ConfigurationError {
  fileprivate init(yaml error: YamlError, file: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(file: file, line: mark.line, column: mark.column, message: "not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { String(describing: $0) }.joined(separator: ", ")
      self.init(
        file: file, line: context.mark.line, column: context.mark.column,
        message: "the key \(keys) stands twice")
    default: self.init(file: file, message: "not valid YAML: \(error)")
    }
  }
}

extension Settings.Folders {
  fileprivate init(_ section: YAMLSection, absolute: (String) -> String) throws {
    try section.allow(["inbox", "store", "output", "quarantine"])
    inbox = absolute(try section.string("inbox"))
    store = absolute(try section.string("store"))
    output = absolute(try section.string("output"))
    quarantine = absolute(try section.string("quarantine"))
  }
}

extension IntakeSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["quiet_time", "incomplete_time", "archives", "ignore"])
    incompleteTime = try section.duration("incomplete_time", atLeast: 0)
    quietTime = try section.duration("quiet_time", atLeast: 0)
    archives = try ArchiveSettings(section.section("archives"))
    ignore = try section.strings("ignore")
  }
}

extension WatchSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["interval", "events", "settle_time"])
    events = try section.bool("events")
    interval = try section.duration("interval", atLeast: 0.1)
    settleTime = try section.duration("settle_time", atLeast: 0)
  }
}

extension Schedule {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["fuse", "time_zone"])
    let zone = try section.string("time_zone")
    if !zone.isEmpty && TimeZone(identifier: zone) == nil {
      throw section.error("time_zone", "“\(zone)” is not a time zone; write one like Europe/Vienna")
    }
    let text = try section.string("fuse")
    guard let schedule = Schedule(text, timeZone: zone.isEmpty ? TimeZone.current.identifier : zone) else {
      throw section.error(
        "fuse",
        "“\(text)” is neither immediate, nor a window like 22:00-06:00, nor a cron expression like 30 1 * * *"
      )
    }
    self = schedule
  }
}

extension GridSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["side", "interpolation", "antialias"])
    side = try section.int("side", in: 32...1024)
    if side % 16 != 0 {
      throw section.error("side", "\(side) is not a multiple of 16, which the network needs")
    }
    interpolation = try section.choice("interpolation", Interpolation.self)
    antialias = try section.bool("antialias")
  }
}

extension AlignmentSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["maximum_folding", "through_plane", "registration"])
    maximumFolding = try section.quantity("maximum_folding", units: ["%": 0.01])
    if !(0...1).contains(maximumFolding) {
      throw section.error("maximum_folding", "must be from 0 % to 100 %")
    }
    throughPlane = try section.quantity("through_plane", units: ["mm": 1])
    if !(0...20).contains(throughPlane) { throw section.error("through_plane", "must be from 0 mm to 20 mm") }
    registration = try section.choice("registration", Registration.self)
  }
}

extension OutputSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["modality", "series_number", "registration_object"])
    modality = try section.choice("modality", Modality.self)
    seriesNumber = try section.int("series_number", in: 0...1_000_000)
    registrationObject = try section.bool("registration_object")
  }
}

extension ProcessingSettings {
  fileprivate init(_ section: YAMLSection) throws {
    try section.allow(["workers", "deadline"])
    workers = try section.int("workers", in: 0...1024)
    deadline = try section.duration("deadline", atLeast: 1)
  }
}
