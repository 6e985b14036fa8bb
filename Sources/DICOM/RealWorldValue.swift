// Real World Value Mapping: what stored values mean, said a second time – read, and compared with the rescale.

/// One item of the Real World Value Mapping Sequence (PS3.3 C.7.6.16.2.11).
public struct RealWorldValue: Codable, Hashable, Sendable {
  /// Real World Value Slope and Intercept: value = slope · stored + intercept; nil where a table takes their place.
  public var slope: Double?
  public var intercept: Double?
  /// UCUM code of the unit, e.g. `Bq/ml` or `{SUVbw}g/ml`.
  public var unit: String?

  public init(slope: Double?, intercept: Double?, unit: String?) {
    self.slope = slope
    self.intercept = intercept
    self.unit = unit
  }

  /// The units this program computes with, by their UCUM codes (CID 83, 84 and 85).
  public enum Meaning: Hashable, Sendable { case hounsfield, activity, bodyWeightSUV }

  public var meaning: Meaning? {
    switch unit {
    case "[hnsf'U]": .hounsfield
    case "Bq/ml": .activity
    case "{SUVbw}g/ml", "g/ml{SUVbw}": .bodyWeightSUV
    default: nil
    }
  }
}

extension FrameGeometry {
  /// The one linear mapping of the frame; nil where there are none, several or a table.
  var realWorldValue: RealWorldValue? {
    guard let all = realWorldValues, all.count == 1, let slope = all[0].slope, slope != 0,
      all[0].intercept != nil
    else { return nil }
    return all[0]
  }

  /// Where there is no rescale at all, a mapping to HU or Bq/ml says what it would have said.
  mutating func useMappingForRescale() {
    guard !hasRescale, let mapping = realWorldValue, let slope = mapping.slope,
      let intercept = mapping.intercept,
      mapping.meaning == .hounsfield || mapping.meaning == .activity
    else { return }
    rescaleSlope = slope
    rescaleIntercept = intercept
    rescaleType = mapping.meaning == .hounsfield ? "HU" : rescaleType
    hasRescale = true
  }
}

extension DICOMFile {
  /// The mappings in an item, nil without any. Throws `invalid_attribute` where a slope is no number.
  func realWorldValues(in item: ItemPath) throws(DICOMError) -> [RealWorldValue]? {
    let count = items(.realWorldValueMappingSequence, in: item)
    guard count > 0 else { return nil }
    var result: [RealWorldValue] = []
    for index in 0..<count {
      let mapping = item.item(.realWorldValueMappingSequence, index)
      let isTable = has(.realWorldValueLUTData, in: mapping)
      result.append(
        RealWorldValue(
          slope: isTable ? nil : try number(.realWorldValueSlope, in: mapping),
          intercept: isTable ? nil : try number(.realWorldValueIntercept, in: mapping),
          unit: word(.codeValue, in: mapping.item(.measurementUnitsCodeSequence))))
    }
    return result
  }
}

extension GeometryGate {
  /// What the mappings of a stack add to its rescale.
  enum Mapping: Hashable {
    /// None, or the same as the rescale says.
    case nothing
    /// SUVbw = factor · rescaled value, in every frame.
    case suvFactor(Double)
    /// Not applied, and why.
    case inconsistent(String)
  }

  /// A mapping counts where every frame has one linear item of one unit, and it is the rescale times one constant.
  func mapping(of images: [Instance]) -> Mapping {
    let frames = images.flatMap(\.frames)
    guard frames.contains(where: { $0.realWorldValues != nil }) else { return .nothing }
    let mappings = frames.compactMap(\.realWorldValue)
    guard mappings.count == frames.count else {
      return .inconsistent("not every frame has one linear Real World Value Mapping")
    }
    guard let meaning = mappings[0].meaning, mappings.allSatisfy({ $0.meaning == meaning }) else {
      return .inconsistent("the unit of the Real World Value Mapping is none of HU, Bq/ml and SUVbw")
    }
    guard let factor = factor(frames, mappings) else {
      return .inconsistent("the Real World Value Mapping contradicts Rescale Slope and Intercept")
    }
    switch meaning {
    case .bodyWeightSUV: return .suvFactor(factor)
    case .hounsfield, .activity:
      return abs(factor - 1) <= Self.factorTolerance
        ? .nothing : .inconsistent("the Real World Value Mapping contradicts Rescale Slope and Intercept")
    }
  }

  /// The constant all mappings are of their rescale; nil where there is none.
  private func factor(_ frames: [FrameGeometry], _ mappings: [RealWorldValue]) -> Double? {
    let pairs = zip(frames, mappings).filter { $0.0.rescaleSlope != 0 }
    guard pairs.count == frames.count, let first = pairs.first, let slope = first.1.slope else { return nil }
    let factor = slope / first.0.rescaleSlope
    for (frame, mapping) in pairs {
      guard let slope = mapping.slope, let intercept = mapping.intercept,
        abs(slope - factor * frame.rescaleSlope) <= Self.factorTolerance * abs(slope),
        // An intercept may be off by what a ten-thousandth of one stored step would be.
        abs(intercept - factor * frame.rescaleIntercept) <= Self.factorTolerance
          * max(abs(intercept), abs(slope))
      else { return nil }
    }
    return factor
  }
}
