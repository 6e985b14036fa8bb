// From the stored unit of a PET image to SUVbw: a factor, or the reason why there is none. No pixels.

/// The factor that turns rescaled PET values into SUVbw (g/ml), after QIBA's vendor-neutral calculation
/// (QIBA FDG-PET/CT profile, appendix on SUV; DICOM PS3.3 C.8.9).
public enum SUVFactor: Hashable, Sendable {
  /// SUVbw = factor · rescaled value.
  case factor(Double)
  /// No SUV can be had; the sentence says why.
  case unavailable(String)

  public var value: Double? {
    guard case .factor(let value) = self else { return nil }
    return value
  }

  /// An injection further back than this, in half-lives, is a wrong date rather than a faint patient.
  static let longestDecay = 12.0
  /// A total dose below this, Bq, was written in another unit (MBq values are a few hundred).
  static let smallestDose = 1e5
  /// Patient weights outside this range, kg, are mistakes.
  static let weights = 0.5...500.0

  /// The factor for one instance of a series; `series` are all instances of it, for the scan's start.
  public static func of(_ instance: Instance, in series: [Instance]) -> SUVFactor {
    guard let pet = instance.pet else { return .unavailable("it has no PET header") }
    switch pet.units {
    case "GML":
      guard pet.suvType == nil || pet.suvType == "BW" else {
        return .unavailable("its SUVs are not normalised by body weight")
      }
      return .factor(1)
    case "BQML": return bodyWeight(instance, pet, series, perCount: 1)
    case "CNTS":
      if let factor = pet.philipsSUVFactor, factor > 0 { return corrected(pet) ?? .factor(factor) }
      if let activity = pet.philipsActivityFactor, activity > 0 {
        return bodyWeight(instance, pet, series, perCount: activity)
      }
      return .unavailable("its unit is counts and no scale factor for them is given")
    default: return .unavailable("its Units (0054,1001) are none that lead to SUV")
    }
  }

  /// nil when the image is corrected for attenuation and decay.
  private static func corrected(_ pet: PETHeader) -> SUVFactor? {
    for correction in ["ATTN", "DECY"] where !pet.correctedImage.contains(correction) {
      return .unavailable("Corrected Image (0028,0051) does not hold \(correction)")
    }
    return nil
  }

  /// `perCount` is Bq/ml per rescaled unit.
  private static func bodyWeight(
    _ instance: Instance, _ pet: PETHeader, _ series: [Instance], perCount: Double
  ) -> SUVFactor {
    if let refusal = corrected(pet) { return refusal }
    guard let weight = pet.patientWeight, weights.contains(weight) else {
      return .unavailable("Patient's Weight (0010,1030) is missing or impossible")
    }
    guard pet.radiopharmaceuticals <= 1 else {
      return .unavailable("it names \(pet.radiopharmaceuticals) radiopharmaceuticals")
    }
    guard let dose = pet.totalDose, dose >= smallestDose else {
      return .unavailable("Radionuclide Total Dose (0018,1074) is missing or not in Bq")
    }
    let activity = perCount * weight * 1000
    if pet.decayCorrection == "ADMIN" { return .factor(activity / dose) }
    // Enhanced objects give the moment itself (PS3.3 C.8.22.5) instead of a word for it.
    guard pet.decayCorrection == "START" || pet.decayCorrectionDateTime != nil else {
      return .unavailable("Decay Correction (0054,1102) is neither START nor ADMIN")
    }
    guard let halfLife = pet.halfLife, halfLife > 0 else {
      return .unavailable("Radionuclide Half Life (0018,1075) is missing")
    }
    guard let reference = decayReference(instance, pet, halfLife, series) else {
      return .unavailable("the start of the scan is not known")
    }
    guard let elapsed = elapsed(until: reference, pet) else {
      return .unavailable("the time of injection is not known")
    }
    guard elapsed >= 0, elapsed <= longestDecay * halfLife else {
      return .unavailable("the injection is not in the \(Int(longestDecay)) half-lives before the scan")
    }
    return .factor(activity / (dose * exponential2(-elapsed / halfLife)))
  }

  /// The moment the activity is corrected to, seconds since 1970 on its own clock, and that clock's offset from UTC.
  private static func decayReference(
    _ instance: Instance, _ pet: PETHeader, _ halfLife: Double, _ series: [Instance]
  ) -> (seconds: Double, offset: Double?)? {
    let offset = instance.timezone.flatMap(DICOMTime.offset)
    if pet.decayCorrection == nil, let text = pet.decayCorrectionDateTime {
      return DICOMTime.seconds(dateTime: text).map { ($0.seconds, $0.offset ?? offset) }
    }
    return scanStart(instance, pet, halfLife, series).map { ($0, offset) }
  }

  /// Seconds from injection to `scan`. A bare time of injection later in the day than the scan was yesterday's.
  private static func elapsed(until scan: (seconds: Double, offset: Double?), _ pet: PETHeader) -> Double? {
    if let text = pet.startDateTime {
      guard let start = DICOMTime.seconds(dateTime: text) else { return nil }
      // Only when both say where they count from can they differ.
      if let own = start.offset, let scanOffset = scan.offset {
        return scan.seconds - scanOffset - (start.seconds - own)
      }
      return scan.seconds - start.seconds
    }
    guard let text = pet.startTime, let start = DICOMTime.secondsOfDay(text) else { return nil }
    let elapsed = scan.seconds.truncatingRemainder(dividingBy: DICOMTime.day) - start
    return elapsed < 0 ? elapsed + DICOMTime.day : elapsed
  }
}
