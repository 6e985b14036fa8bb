// Strict reading of one YAML mapping over its default; knows positions and keys, not what they mean.

import Yams

/// One mapping of the configuration: the operator's node, if any, over the default's.
struct YAMLSection {
  let file: String
  /// Dotted path of this mapping, empty at the top.
  let path: String
  let user: Node.Mapping?
  let fallback: Node.Mapping?

  /// Refuses keys that do not exist, naming the nearest that does.
  ///
  /// - Throws: `ConfigurationError` at the key.
  func allow(_ keys: [String]) throws {
    for (key, _) in user ?? [:] {
      let name = key.string ?? ""
      if keys.contains(name) { continue }
      let hint =
        nearest(name, in: keys).map { "did you mean “\($0)”?" }
        ?? "known keys: \(keys.joined(separator: ", "))"
      throw error(at: key, key: name, "there is no such key; \(hint)")
    }
  }

  func node(_ key: String) -> Node? { user?[Node(key)] ?? fallback?[Node(key)] }

  func section(_ key: String) throws -> YAMLSection {
    if let node = user?[Node(key)], node.mapping == nil {
      throw error(at: node, key: key, "expected a mapping of keys to values")
    }
    return YAMLSection(
      file: file, path: join(key), user: user?[Node(key)]?.mapping, fallback: fallback?[Node(key)]?.mapping)
  }

  /// The items of a list of mappings, each a section without a default of its own.
  func sections(_ key: String) throws -> [YAMLSection] {
    let node = try required(key)
    guard let items = node.sequence else { throw error(at: node, key: key, "expected a list") }
    return try items.enumerated().map { index, item in
      guard let mapping = item.mapping else {
        throw error(at: item, key: "\(key)[\(index)]", "expected a mapping of keys to values")
      }
      return YAMLSection(file: file, path: join("\(key)[\(index)]"), user: mapping, fallback: nil)
    }
  }

  func required(_ key: String) throws -> Node {
    if let node = node(key) { return node }
    let place = user.flatMap { $0.mark }
    throw ConfigurationError(
      file: file, line: place?.line, column: place?.column, key: join(key), message: "this key is needed")
  }

  func error(_ key: String, _ message: String) -> ConfigurationError {
    node(key).map { error(at: $0, key: key, message) }
      ?? ConfigurationError(file: file, key: join(key), message: message)
  }

  func error(at node: Node, key: String, _ message: String) -> ConfigurationError {
    ConfigurationError(
      file: file, line: node.mark?.line, column: node.mark?.column, key: join(key), message: message)
  }

  private func join(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension YAMLSection {
  func string(_ key: String) throws -> String {
    let node = try required(key)
    guard let text = node.scalar?.string else { throw error(at: node, key: key, "expected text") }
    return text
  }

  func optionalString(_ key: String) throws -> String? { node(key) == nil ? nil : try string(key) }

  func strings(_ key: String) throws -> [String] {
    let node = try required(key)
    guard let items = node.sequence else { throw error(at: node, key: key, "expected a list of texts") }
    return try items.map { item in
      guard let text = item.scalar?.string else {
        throw error(at: item, key: key, "expected a list of texts")
      }
      return text
    }
  }

  func int(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    let text = try string(key)
    guard let value = Int(text), range.contains(value) else {
      throw error(key, "“\(text)” is not a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func bool(_ key: String) throws -> Bool {
    switch try string(key) {
    case "true": return true
    case "false": return false
    case let text: throw error(key, "“\(text)” is neither true nor false")
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) throws -> Choice
  where Choice.RawValue == String {
    let text = try string(key)
    if let value = Choice(rawValue: text) { return value }
    throw error(key, "“\(text)” is not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  func number(_ key: String, in range: ClosedRange<Double>) throws -> Double {
    let text = try string(key)
    guard let value = Double(text), range.contains(value) else {
      throw error(key, "“\(text)” is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A size in bytes.
  func bytes(_ key: String) throws -> Double {
    let units = ["B": 1.0, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776]
    let value = try quantity(key, units: units)
    if value < 0 { throw error(key, "cannot be negative") }
    return value
  }

  /// A length of time, seconds.
  func duration(_ key: String, atLeast least: Double) throws -> Double {
    let value = try quantity(key, units: ["ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400])
    if value < least { throw error(key, "must be at least \(least) s") }
    return value
  }

  /// A number with its unit, `5 s`; the unit must be one of `units`, whose value is the factor applied.
  func quantity(_ key: String, units: [String: Double]) throws -> Double {
    let text = try string(key)
    let digits = text.prefix { "+-.0123456789eE".contains($0) }
    let unit = text.dropFirst(digits.count).trimmingPrefix(while: { $0 == " " })
    guard let value = Double(digits), value.isFinite else {
      throw error(key, "“\(text)” is not a number with a unit")
    }
    guard let factor = units[String(unit)] else {
      let known = units.keys.sorted().joined(separator: ", ")
      throw error(key, "“\(text)” needs a unit, one of: \(known)")
    }
    return value * factor
  }
}
