// Where the moving series lies in the fixed one's coordinates – known from the headers, or found from the voxels here.

import DICOM
import Imaging
import Registration

/// The transform a pair is resampled through, and how it is known.
struct Placement: Sendable {
  /// Fixed to moving coordinates, mm.
  let transform: RigidTransform
  let registration: AppliedRegistration

  /// - Throws: `PairRefusal` where the voxels have to be registered and the result cannot be trusted.
  init(_ pair: Pair, fixed: Volume, moving: Volume, settings: Settings) throws {
    guard case .rigid = pair.transform else {
      transform = pair.transform.transform
      registration = AppliedRegistration(pair.transform)
      return
    }
    let found = try FoundRegistration(
      fixed: fixed, moving: moving, modalities: (pair.fixed.modality, pair.moving.modality))
    try found.check()
    let overlap = fixed.grid.overlap(with: moving.grid, through: found.transform)
    if let refusal = settings.pairing.refusal(of: overlap) { throw PairRefusal(reason: refusal) }
    transform = found.transform
    registration = AppliedRegistration(
      kind: .rigid, matrix: found.transform.matrix, objects: nil, rigid: found.record)
  }
}

/// A registration of two volumes and the verdict on it.
struct FoundRegistration {
  let transform: RigidTransform
  let record: RigidRecord
  let verdict: RegistrationVerdict

  /// - Throws: `PairRefusal` for volumes that cannot be registered at all.
  init(fixed: Volume, moving: Volume, modalities: (fixed: String, moving: String)) throws {
    let registration = RigidRegistration(
      fixed: try Self.pyramid(fixed, "fixed \(modalities.fixed)"),
      moving: try Self.pyramid(moving, "moving \(modalities.moving)"))
    let result = registration.register()
    let evidence = registration.evidence(result)
    transform = result.transform
    record = RigidRecord(evidence, result)
    verdict = RegistrationVerdict(evidence)
  }

  /// - Throws: `PairRefusal` with what speaks against it.
  func check() throws {
    guard let reason = verdict.reason else { return }
    throw PairRefusal(
      reason: Refusal(
        reason.rawValue,
        "registering the voxels failed: \(verdict.sentence ?? ""); check the pair, or send a registration object for it"
      ))
  }

  private static func pyramid(_ volume: Volume, _ name: String) throws -> Pyramid {
    do { return try Pyramid(volume) } catch {
      throw PairRefusal(
        reason: Refusal(
          "registration_impossible", "the \(name) series cannot be registered: it \(error.detail)"))
    }
  }
}

/// What the ledger keeps of a registration found from the voxels.
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

  enum CodingKeys: String, CodingKey {
    case before = "measure_before"
    case after = "measure_after"
    case residual = "residual_mm"
    case turn = "turn_degrees"
    case shift = "shift_mm"
    case converged, evaluations, overlap, significance, misfit, sharpness, agreement
  }

  init(_ evidence: RegistrationEvidence, _ result: RegistrationResult) {
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
  }
}
