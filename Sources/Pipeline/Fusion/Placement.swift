// Where the moving series lies in the fixed one's coordinates – known from the headers, or found from the voxels here.

import DICOM
import Imaging
import Registration

/// The transform a pair is resampled through, and how it is known.
struct Placement: Sendable {
  /// Fixed to moving coordinates, mm.
  let transform: RigidTransform
  let registration: AppliedRegistration

  /// - Parameter pyramids: of both series, where their voxels have to be registered.
  /// - Throws: `PairRefusal` where they have to be and the result cannot be trusted.
  init(_ pair: Pair, pyramids: (fixed: Pyramid, moving: Pyramid)?, settings: Settings) throws {
    guard let pyramids else {
      transform = pair.transform.transform
      registration = AppliedRegistration(pair.transform)
      return
    }
    let found = FoundRegistration(pyramids, modalities: (pair.fixed.modality, pair.moving.modality))
    transform = found.transform
    registration = AppliedRegistration(
      kind: .rigid, matrix: found.transform.matrix, objects: nil, rigid: found.record)
    let overlap = pair.fixedPlan.grid.overlap(with: pair.movingPlan.grid, through: found.transform)
    if let refusal = found.refusal ?? settings.pairing.refusal(of: overlap) {
      throw PairRefusal(reason: refusal, registration: registration)
    }
  }
}

/// A registration of two volumes and the verdict on it.
struct FoundRegistration {
  let transform: RigidTransform
  let record: RigidRecord
  let verdict: RegistrationVerdict

  init(_ pyramids: (fixed: Pyramid, moving: Pyramid), modalities: (fixed: String, moving: String)) {
    let registration = RigidRegistration(fixed: pyramids.fixed, moving: pyramids.moving)
    let result = registration.register()
    let evidence = registration.evidence(result)
    transform = result.transform
    verdict = RegistrationVerdict(evidence, of: Self.shown(modalities))
    record = RigidRecord(evidence, result, verdict)
  }

  /// What speaks against it; nil where it is believed.
  var refusal: Refusal? {
    verdict.reason.map {
      Refusal(
        $0.rawValue,
        "registering the voxels failed: \(verdict.sentence ?? ""); check the pair, or send a registration object for it"
      )
    }
  }

  /// What a pair of DICOM modalities shows, in either order; nil for others than heads are fused of.
  static func shown(_ modalities: (fixed: String, moving: String)) -> RegisteredPair? {
    switch Set([modalities.fixed, modalities.moving]) {
    case ["CT", "MR"]: .ctMR
    case ["CT", "PT"]: .ctPET
    case ["MR", "PT"]: .mrPET
    case ["MR", "NM"]: .mrSPECT
    default: nil
    }
  }

  /// - Parameter name: of the series, for the refusal.
  /// - Throws: `PairRefusal` for a volume that cannot be registered at all.
  static func pyramid(_ volume: Volume, _ name: String) throws -> Pyramid {
    do { return try Pyramid(volume) } catch {
      throw PairRefusal(
        reason: Refusal(
          "registration_impossible", "the \(name) series cannot be registered: it \(error.detail)"))
    }
  }
}
