// One condition on a series, as the configuration writes it; whether a series meets it, not what follows.

import Imaging

/// All properties named must hold. One that the headers do not answer does not hold, whatever was asked.
public struct SeriesCondition: Codable, Hashable, Sendable {
  /// Regular expressions; `text` looks at description, protocol name, image type and body part.
  public var text: String?
  public var description: String?
  public var protocolName: String?
  public var imageType: String?
  public var bodyPart: String?
  public var kernel: String?
  public var contrast: Bool?
  public var derived: Bool?
  public var echoPlanar: Bool?
  public var volumetric: Bool?
  public var attenuationCorrected: Bool?
  /// `axial`, `coronal`, `sagittal` or `oblique`.
  public var orientation: String?
  public var slices: Bound?
  public var spacing: Bound?
  public var thickness: Bound?

  /// A number with a relation to it.
  public struct Bound: Codable, Hashable, Sendable {
    public enum Relation: String, Codable, Sendable, CaseIterable {
      case atMost = "<="
      case atLeast = ">="
      case below = "<"
      case above = ">"
    }
    public var relation: Relation
    /// Slices, or mm.
    public var value: Double

    func holds(_ number: Double?) -> Bool {
      guard let number else { return false }
      return switch relation {
      case .atMost: number <= value
      case .atLeast: number >= value
      case .below: number < value
      case .above: number > value
      }
    }
  }

  public init() {}

  var isEmpty: Bool { self == SeriesCondition() }

  func holds(_ facts: SeriesFacts) -> Bool {
    let texts = facts.descriptions + facts.protocolNames + facts.imageTypes + facts.bodyParts
    return matches(text, texts) && matches(description, facts.descriptions + facts.protocolNames)
      && matches(protocolName, facts.protocolNames) && matches(imageType, facts.imageTypes)
      && matches(bodyPart, facts.bodyParts) && matches(kernel, facts.kernels)
      && agrees(contrast, facts.hasContrast) && agrees(derived, facts.isDerived)
      && agrees(echoPlanar, facts.isEchoPlanar) && agrees(volumetric, facts.isVolumetric)
      && agrees(attenuationCorrected, facts.isAttenuationCorrected)
      && (orientation == nil || orientation == facts.orientation?.rawValue)
      && slices?.holds(Double(facts.slices)) ?? true && spacing?.holds(facts.spacing) ?? true
      && thickness?.holds(facts.thickness) ?? true
  }

  private func matches(_ expression: String?, _ texts: [String]) -> Bool {
    expression.map { expression in texts.contains { Expression.matches(expression, $0) } } ?? true
  }

  private func agrees(_ asked: Bool?, _ answer: Bool?) -> Bool { asked == nil || asked == answer }

  /// Reason code of a series left out by this condition.
  var code: String {
    if derived == true { return "derived" }
    if echoPlanar == true { return "echo_planar" }
    if attenuationCorrected == false { return "not_attenuation_corrected" }
    return "excluded"
  }

  /// As an operator would say it.
  var words: String {
    func yes(_ value: Bool?, _ word: String) -> String? { value.map { ($0 ? "" : "not ") + word } }
    func like(_ value: String?, _ word: String) -> String? { value.map { "\(word) like “\($0)”" } }
    func bound(_ value: Bound?, _ word: String, _ unit: String) -> String? {
      value.map { "\(word) \($0.relation.rawValue) \($0.value)\(unit)" }
    }
    return [
      like(text, "text"), like(description, "description"), like(protocolName, "protocol"),
      like(imageType, "image type"), like(bodyPart, "body part"), like(kernel, "kernel"),
      yes(contrast, "with contrast agent"), yes(derived, "derived"), yes(echoPlanar, "echo planar"),
      yes(volumetric, "volumetric"), yes(attenuationCorrected, "attenuation-corrected"), orientation,
      bound(slices, "slices", ""), bound(spacing, "spacing", " mm"), bound(thickness, "thickness", " mm"),
    ].compactMap { $0 }.joined(separator: ", ")
  }
}
