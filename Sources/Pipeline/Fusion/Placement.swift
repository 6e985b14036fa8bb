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
    transform = found.transform
    registration = AppliedRegistration(
      kind: .rigid, matrix: found.transform.matrix, objects: nil, rigid: found.record)
    let overlap = fixed.grid.overlap(with: moving.grid, through: found.transform)
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

  /// - Throws: `PairRefusal` for volumes that cannot be registered at all.
  init(fixed: Volume, moving: Volume, modalities: (fixed: String, moving: String)) throws {
    let registration = RigidRegistration(
      fixed: try Self.pyramid(fixed, "fixed \(modalities.fixed)"),
      moving: try Self.pyramid(moving, "moving \(modalities.moving)"))
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

  private static func pyramid(_ volume: Volume, _ name: String) throws -> Pyramid {
    do { return try Pyramid(volume) } catch {
      throw PairRefusal(
        reason: Refusal(
          "registration_impossible", "the \(name) series cannot be registered: it \(error.detail)"))
    }
  }
}
