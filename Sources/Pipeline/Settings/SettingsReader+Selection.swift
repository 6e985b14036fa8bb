// The keys of pipeline.yaml that choose among series: conditions, exclusions and preferences.

import Foundation
import Yams

extension SelectionSettings {
  init(_ section: YAMLSection) throws {
    let names = PairedModality.allCases.map(\.rawValue)
    try section.allow(["minimum_slices", "exclude"] + names)
    minimumSlices = try section.int("minimum_slices", in: 1...10_000)
    exclude = try section.strings("exclude")
    for expression in exclude { try section.checkExpression(expression, key: "exclude") }
    modalities = [:]
    for name in names { modalities[name] = try ModalitySelection(section.section(name)) }
  }
}

extension ModalitySelection {
  init(_ section: YAMLSection) throws {
    try section.allow(["exclude", "prefer"])
    exclude = try section.conditions("exclude")
    prefer = try section.preferences("prefer")
  }
}

extension SeriesCriteria {
  init(_ section: YAMLSection) throws {
    try section.allow(["modality", "prefer"] + SeriesCondition.keys)
    modality = try section.choice("modality", PairedModality.self).rawValue
    condition = try SeriesCondition(section)
    prefer = section.node("prefer") == nil ? nil : try section.preferences("prefer")
  }
}

extension SeriesCondition {
  static let keys = [
    "text", "description", "protocol", "image_type", "body_part", "kernel", "contrast", "derived",
    "echo_planar",
    "volumetric", "attenuation_corrected", "orientation", "slices", "spacing", "thickness",
  ]

  /// The condition written in a mapping; other keys of it are for the caller.
  init(_ section: YAMLSection) throws {
    text = try section.expression("text")
    description = try section.expression("description")
    protocolName = try section.expression("protocol")
    imageType = try section.expression("image_type")
    bodyPart = try section.expression("body_part")
    kernel = try section.expression("kernel")
    contrast = try section.optionalBool("contrast")
    derived = try section.optionalBool("derived")
    echoPlanar = try section.optionalBool("echo_planar")
    volumetric = try section.optionalBool("volumetric")
    attenuationCorrected = try section.optionalBool("attenuation_corrected")
    if section.node("orientation") != nil {
      orientation = try section.choice("orientation", SeriesFacts.Orientation.self).rawValue
    }
    slices = try section.bound("slices", unit: nil)
    spacing = try section.bound("spacing", unit: "mm")
    thickness = try section.bound("thickness", unit: "mm")
  }
}

extension YAMLSection {
  /// A list whose items are texts or conditions; a text is turned into what `text` says.
  private func items<Item>(
    _ key: String, text: (String, YAMLSection) throws -> Item, condition: (SeriesCondition) -> Item
  ) throws -> [Item] {
    let node = try required(key)
    guard let items = node.sequence else { throw error(at: node, key: key, "expected a list") }
    return try items.enumerated().map { index, item in
      let place = path.isEmpty ? "\(key)[\(index)]" : "\(path).\(key)[\(index)]"
      let section = YAMLSection(file: file, path: place, user: item.mapping, fallback: nil)
      if let word = item.scalar?.string {
        do { return try text(word, section) } catch let problem as SelectionMistake {
          throw error(at: item, key: "\(key)[\(index)]", problem.message)
        }
      }
      guard item.mapping != nil else {
        throw error(at: item, key: "\(key)[\(index)]", "expected text or a mapping of properties to values")
      }
      try section.allow(SeriesCondition.keys)
      let result = try SeriesCondition(section)
      if result.isEmpty { throw error(at: item, key: "\(key)[\(index)]", "names no property") }
      return condition(result)
    }
  }

  fileprivate func conditions(_ key: String) throws -> [SeriesCondition] {
    try items(key) { word, _ in
      guard Expression.isValid(word) else {
        throw SelectionMistake(message: "“\(word)” is not a regular expression")
      }
      var condition = SeriesCondition()
      condition.text = word
      return condition
    } condition: {
      $0
    }
  }

  fileprivate func preferences(_ key: String) throws -> [SeriesPreference] {
    try items(key) { word, _ in
      guard let order = SeriesPreference.Order(rawValue: word) else {
        let known = SeriesPreference.Order.allCases.map(\.rawValue).joined(separator: ", ")
        throw SelectionMistake(message: "“\(word)” is not one of \(known), nor a mapping of properties")
      }
      return .order(order)
    } condition: {
      .meets($0)
    }
  }

  fileprivate func expression(_ key: String) throws -> String? {
    let text = try optionalString(key)
    if let text { try checkExpression(text, key: key) }
    return text
  }

  fileprivate func optionalBool(_ key: String) throws -> Bool? { node(key) == nil ? nil : try bool(key) }

  /// `>= 20`, or with a unit `<= 1.5 mm`.
  fileprivate func bound(_ key: String, unit: String?) throws -> SeriesCondition.Bound? {
    guard let text = try optionalString(key) else { return nil }
    let wanted =
      unit.map { "“\(text)” is not a bound such as “<= 1.5 \($0)”" }
      ?? "“\(text)” is not a bound such as “>= 20”"
    guard
      let relation = [SeriesCondition.Bound.Relation.atMost, .atLeast, .below, .above].first(where: {
        text.hasPrefix($0.rawValue)
      })
    else { throw error(key, wanted) }
    var rest = text.dropFirst(relation.rawValue.count).trimmingCharacters(in: .whitespaces)
    if let unit {
      guard rest.hasSuffix(unit) else { throw error(key, wanted) }
      rest = rest.dropLast(unit.count).trimmingCharacters(in: .whitespaces)
    }
    guard let value = Double(rest), value.isFinite, value >= 0 else { throw error(key, wanted) }
    return SeriesCondition.Bound(relation: relation, value: value)
  }

  func checkExpression(_ expression: String, key: String) throws {
    if !Expression.isValid(expression) { throw error(key, "“\(expression)” is not a regular expression") }
  }
}

/// What is wrong with one item of a list; the reader of the list knows where it stands.
private struct SelectionMistake: Error {
  let message: String
}
