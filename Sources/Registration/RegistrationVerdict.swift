// Whether a registration may be used – decided from its evidence alone, by thresholds set on data (docs/registration.md).

/// What two images show: how much freedom their parts have at the right pose depends on it. Blurred images, and such as tell
/// little about each other, leave more.
public enum RegisteredPair: String, Sendable, Codable, CaseIterable {
  case ctMR = "CT-MR"
  case ctPET = "PET-CT"
  case mrPET = "PET-MR"
  case mrSPECT = "SPECT-MR"

  /// Largest misfit of one head with itself. Between what right and wrong pairs reach on drawn heads.
  public var mostMisfit: Double {
    switch self {
    case .ctMR: 0.0045
    case .ctPET: 0.0117
    case .mrPET: 0.021
    case .mrSPECT: 0.018
    }
  }
}

/// The decision on a registration, with a stable code and one sentence where it is refused.
public struct RegistrationVerdict: Sendable, Hashable, Codable {
  public enum Reason: String, Sendable, Codable {
    case overlap = "registration_overlap"
    case outOfRange = "registration_out_of_range"
    case notSignificant = "registration_not_significant"
    case notBetter = "registration_not_better"
    case ambiguous = "registration_ambiguous"
    case misfit = "registration_misfit"
  }

  /// The smaller body must lie in both images by this share.
  public static let leastOverlap = 0.3
  /// Heads are not turned further than this from what the headers say, degrees; the search reaches 30° about each axis.
  public static let mostTurn = 60.0
  /// Standard deviations above random poses.
  public static let leastSignificance = 3.5
  /// Another pose as good as this share of the result makes the result a guess.
  public static let mostRival = 0.99

  public let accepted: Bool
  public let reason: Reason?
  /// Why it is refused, to be read by an operator; nil where it is accepted.
  public let sentence: String?

  /// - Parameter pair: what the images show; nil, where that is not known, takes the strictest limits.
  public init(_ evidence: RegistrationEvidence, of pair: RegisteredPair?) {
    let refusal = Self.refusal(evidence, (pair ?? .ctMR).mostMisfit)
    accepted = refusal == nil
    reason = refusal?.0
    sentence = refusal?.1
  }

  private static func refusal(_ evidence: RegistrationEvidence, _ mostMisfit: Double) -> (Reason, String)? {
    if evidence.overlap < leastOverlap {
      let share = Int(100 * evidence.overlap)
      return (.overlap, "brought together, the two images share only \(share) % of the smaller body")
    }
    if evidence.turn > mostTurn {
      return (
        .outOfRange, "the best pose is turned by \(Int(evidence.turn))°, more than a patient lies differently"
      )
    }
    if evidence.significance < leastSignificance {
      return (
        .notSignificant, "the best pose fits hardly better than random ones; the images may not show the same"
      )
    }
    if evidence.after < evidence.before {
      return (.notBetter, "no pose found is better than where the headers put the image")
    }
    if evidence.rival > mostRival {
      return (.ambiguous, "different starts ended at different poses of nearly the same worth")
    }
    guard let misfit = evidence.misfit, misfit <= mostMisfit else {
      let shift = evidence.residual.map { "by \((10 * $0).rounded() / 10) mm" } ?? "by an unknown amount"
      return (
        .misfit,
        "no rigid pose fits everywhere, parts of the body still disagree \(shift); is it one patient?"
      )
    }
    return nil
  }
}
