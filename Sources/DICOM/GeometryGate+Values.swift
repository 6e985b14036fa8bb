// What the rescaled values of a stack mean: their unit, and for PET the factor to SUVbw. No pixels.

extension GeometryGate {
  /// SUV factors of one series that differ by more than this share are not one factor.
  static let factorTolerance = 1e-4
  /// A mapping to SUV that differs by more than this share from what dose and weight give is worth a note.
  static let mappingTolerance = 0.01

  /// Unit and SUV factor; what is missing goes to `notes`.
  func values(
    of images: [Instance], notes: inout [String]
  ) throws(DICOMError) -> (unit: String, factor: Double?) {
    guard images.contains(where: { $0.frames.contains { $0.rescaleSlope != 0 } }) else {
      throw refuse(.invalidAttribute, "its Rescale Slope is 0 everywhere; no values can be had")
    }
    var mapped: Double?
    var images = images
    switch mapping(of: images) {
    case .nothing: images = images.map(\.withUnitsOfMapping)
    case .suvFactor(let factor) where images[0].modality == "PT" || images[0].modality == "NM":
      mapped = factor
    case .suvFactor: notes.append("a mapping to SUV is not applied to \(images[0].modality)")
    case .inconsistent(let why): notes.append("\(why); Rescale Slope alone is used")
    }
    switch images[0].modality {
    case "CT": return (hounsfield(images, notes: &notes), nil)
    case "PT": return try activity(images, mapped: mapped, notes: &notes)
    case "NM": return mapped.map { ("SUVbw", $0) } ?? ("counts", nil)
    default: return ("arbitrary", nil)
    }
  }

  /// CT values are HU unless Rescale Type says otherwise (PS3.3 C.8.2.1.1.2) or there is no rescale at all.
  private func hounsfield(_ images: [Instance], notes: inout [String]) -> String {
    let frames = images.flatMap(\.frames)
    guard frames.allSatisfy(\.hasRescale) else {
      notes.append("Rescale Slope or Intercept is missing, so that CT values are not known to be HU")
      return "arbitrary"
    }
    guard frames.allSatisfy({ ($0.rescaleType ?? "HU") == "HU" }) else {
      notes.append("Rescale Type is not HU")
      return "arbitrary"
    }
    return "HU"
  }

  /// Unit and SUV factor of a PET stack.
  private func activity(
    _ images: [Instance], mapped: Double?, notes: inout [String]
  ) throws(DICOMError) -> (unit: String, factor: Double?) {
    guard Set(images.map { $0.pet?.units }).count == 1 else {
      throw refuse(.mixedUnits, "its images differ in Units (0054,1001)")
    }
    let factors = images.map { SUVFactor.of($0, in: images) }
    let values = factors.compactMap(\.value)
    if let mapped {
      let header = values.count == factors.count ? values[0] : mapped
      if abs(header - mapped) > mapped * Self.mappingTolerance {
        notes.append("Real World Value Mapping and dose lead to different SUVs; the mapping is used")
      }
      return ("SUVbw", mapped)
    }
    if values.count == factors.count, let least = values.min(), let most = values.max() {
      if most - least <= least * Self.factorTolerance { return ("SUVbw", factors[0].value) }
      notes.append("no SUV: its images lead to different SUV factors")
    } else if case .unavailable(let why)? = factors.first(where: { $0.value == nil }) {
      notes.append("no SUV: \(why)")
    }
    switch images[0].pet?.units {
    case "BQML": return ("BQML", nil)
    case "CNTS": return ("counts", nil)
    default: return ("arbitrary", nil)
    }
  }
}

extension Instance {
  /// Enhanced PET has no Units (0054,1001): where all its mappings are to Bq/ml, and are its rescale, that is its unit.
  fileprivate var withUnitsOfMapping: Instance {
    guard pet != nil, pet?.units == nil, frames.allSatisfy({ $0.realWorldValue?.meaning == .activity }) else {
      return self
    }
    var instance = self
    instance.pet?.units = "BQML"
    return instance
  }
}
