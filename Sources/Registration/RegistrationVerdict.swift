// Whether a registration may be used – decided from its evidence alone, by thresholds set on data (docs/registration.md).

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
  public static let mostRival = 0.97
  /// Misfit times sharpness times information (the measure above one). Parts of a blurred image, or of one that tells little
  /// about the other, always have some freedom; those of a sharp and telling one have not. On drawn heads the product tells one
  /// head from two better than the misfit alone.
  public static let mostMisfit = 1.08e-4

  public let accepted: Bool
  public let reason: Reason?
  /// Why it is refused, to be read by an operator; nil where it is accepted.
  public let sentence: String?

  public init(_ evidence: RegistrationEvidence) {
    let refusal = Self.refusal(evidence)
    accepted = refusal == nil
    reason = refusal?.0
    sentence = refusal?.1
  }

  private static func refusal(_ evidence: RegistrationEvidence) -> (Reason, String)? {
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
    let product = evidence.misfit.flatMap { misfit in
      evidence.sharpness.map { misfit * $0 * (evidence.after - 1) }
    }
    guard let product, product <= mostMisfit else {
      let shift = evidence.residual.map { "by \((10 * $0).rounded() / 10) mm" } ?? "by an unknown amount"
      return (
        .misfit,
        "no rigid pose fits everywhere, parts of the body still disagree \(shift); is it one patient?"
      )
    }
    return nil
  }
}
