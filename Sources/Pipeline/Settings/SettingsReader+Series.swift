// The keys of pipeline.yaml that say which series are taken and how their values are normalised.

import Imaging

extension PairingSettings {
  init(_ section: YAMLSection) throws {
    try section.allow(["scope", "window", "minimum_overlap", "rules"])
    scope = try section.choice("scope", Scope.self)
    windowDays = try section.quantity("window", units: ["h": 1.0 / 24, "d": 1])
    if windowDays < 0 { throw section.error("window", "cannot be negative") }
    minimumOverlap = try section.quantity("minimum_overlap", units: ["mm": 1, "cm": 10])
    if minimumOverlap < 0 { throw section.error("minimum_overlap", "cannot be negative") }
    rules = try section.sections("rules").map(PairingRule.init)
    if rules.isEmpty { throw section.error("rules", "at least one rule is needed") }
    for (index, rule) in rules.enumerated() where rules[..<index].contains(where: { $0.name == rule.name }) {
      throw section.error("rules", "two rules are named \(rule.name)")
    }
  }
}

extension PairingRule {
  init(_ section: YAMLSection) throws {
    try section.allow(["name", "fixed", "moving", "model", "colour"])
    name = try section.string("name")
    if name.isEmpty || !name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) {
      throw section.error("name", "“\(name)” must be made of letters, digits, - and _")
    }
    _ = try section.required("fixed")
    _ = try section.required("moving")
    fixed = try SeriesCriteria(section.section("fixed"))
    moving = try SeriesCriteria(section.section("moving"))
    if fixed.modality == moving.modality {
      throw section.error("moving", "must be another modality than fixed")
    }
    model = try section.string("model")
    colour = try section.optionalString("colour")
    if let colour, !ColourTable.names.contains(colour) {
      throw section.error("colour", "“\(colour)” is not one of \(ColourTable.names.joined(separator: ", "))")
    }
  }
}

/// Modalities the network was made for.
enum PairedModality: String, CaseIterable { case CT, MR, PT, NM }

extension NormalizationSettings {
  static func all(_ section: YAMLSection) throws -> [String: Self] {
    let modalities = PairedModality.allCases.map(\.rawValue)
    try section.allow(modalities)
    var result: [String: Self] = [:]
    for modality in modalities where section.node(modality) != nil {
      result[modality] = try Self(section.replacing(modality))
    }
    return result
  }

  init(_ section: YAMLSection) throws {
    switch try section.string("method") {
    case "window":
      try section.allow(["method", "center", "width"])
      let hounsfield = ["HU": 1.0]
      let width = try section.quantity("width", units: hounsfield)
      if width <= 0 { throw section.error("width", "must be above 0 HU") }
      self = .window(center: try section.quantity("center", units: hounsfield), width: width)
    case "percentiles":
      let (low, high, floor) = try Self.range(section, unit: "%")
      if low < 0 || high > 100 { throw section.error("high", "percentiles lie between 0 % and 100 %") }
      self = .percentiles(low: low, high: high, noiseFloor: floor)
    case "suv":
      let (low, high, floor) = try Self.range(section, unit: "SUVbw")
      self = .suv(low: low, high: high, noiseFloor: floor)
    case let method: throw section.error("method", "“\(method)” is not one of window, percentiles, suv")
    }
  }

  private static func range(_ section: YAMLSection, unit: String) throws -> (Double, Double, Double) {
    try section.allow(["method", "low", "high", "noise_floor"])
    let low = try section.quantity("low", units: [unit: 1])
    let high = try section.quantity("high", units: [unit: 1])
    if low >= high { throw section.error("high", "must be above low") }
    guard section.node("noise_floor") != nil else { return (low, high, 0) }
    let floor = try section.quantity("noise_floor", units: ["%": 0.01])
    if !(0..<1).contains(floor) { throw section.error("noise_floor", "must be from 0 % to below 100 %") }
    return (low, high, floor)
  }
}

extension YAMLSection {
  /// A section whose keys depend on each other: the operator's replaces the default's as a whole.
  func replacing(_ key: String) throws -> YAMLSection {
    let section = try section(key)
    return section.user == nil
      ? section : YAMLSection(file: section.file, path: section.path, user: section.user, fallback: nil)
  }
}
