// What the ledger keeps of a registration found from the voxels, believed or not.

import Foundation
import Imaging
import Registration

/// The numbers of one registration and the verdict on it.
public struct RigidRecord: Codable, Hashable, Sendable {
  /// Normalised mutual information, 1…2, where the headers put the moving image and where it was brought.
  public let before: Double
  public let after: Double
  public let converged: Bool
  /// Evaluations of the measure over all resolutions.
  public let evaluations: Int
  /// Share of the smaller body seen by both images, 0…1.
  public let overlap: Double
  /// Standard deviations by which the measure exceeds that of random poses.
  public let significance: Double
  /// Shift that the parts of the body would still like, mm, what it would gain, and what two millimetres from
  /// there cost, as shares of what the parts tell (0…1).
  public let residual: Double?
  public let misfit: Double?
  public let sharpness: Double?
  /// Share of the climbs from different starts that ended at the result.
  public let agreement: Double
  /// Rotation, degrees, and shift of the body's centre, mm, from where the headers put the moving image.
  public let turn: Double
  public let shift: Double
  /// `accepted`, or the code it was refused with.
  public let verdict: String

  enum CodingKeys: String, CodingKey {
    case before = "measure_before"
    case after = "measure_after"
    case residual = "residual_mm"
    case turn = "turn_degrees"
    case shift = "shift_mm"
    case converged, evaluations, overlap, significance, misfit, sharpness, agreement, verdict
  }

  init(_ evidence: RegistrationEvidence, _ result: RegistrationResult, _ verdict: RegistrationVerdict) {
    before = evidence.before
    after = evidence.after
    converged = evidence.converged
    evaluations = result.trail.stages.reduce(0) { $0 + $1.evaluations }
    overlap = evidence.overlap
    significance = evidence.significance
    residual = evidence.residual
    misfit = evidence.misfit
    sharpness = evidence.sharpness
    agreement = evidence.agreement
    turn = evidence.turn
    shift = evidence.shift
    self.verdict = verdict.reason?.rawValue ?? "accepted"
  }
}

extension RigidRecord {
  /// One line for an operator.
  var sentence: String {
    let numbers = [
      String(format: "measure %.4f before and %.4f after", before, after),
      String(format: "overlap %.0f %%", 100 * overlap),
      String(format: "%.1f deviations above random poses", significance),
      misfit.map { String(format: "misfit %.4f", $0) },
      String(format: "turned %.1f degrees, shifted %.1f mm", turn, shift), "verdict \(verdict)",
    ]
    return numbers.compactMap { $0 }.joined(separator: "; ")
  }
}
