// What scanners really send: thick slices, other orientations, lesions, little anatomy, small fields of view.

import Imaging
import Testing

@testable import Registration

/// A pair as scanners might send it.
private struct Situation: CustomTestStringConvertible, Sendable {
  let name: String
  let fixed: @Sendable () -> Volume
  /// The moving image of a head that lies where the transform says.
  let moving: @Sendable (RigidTransform) -> Volume
  /// Mean error over the brain that is allowed, mm: a third of the thickest slice, or half a voxel.
  let limit: Double
  let pair: RegisteredPair
  var testDescription: String { name }
}

private let pose = RigidTransform(rotation: degrees(19, -14, -24), translation: SIMD3(-35, 44, 52))

/// The head with a bleeding and a contrast-enhanced tumour that only one scanner shows.
private let ill = Head(
  bodies: Head().bodies + [(SIMD3(34, -30, 20), 19, -3), (SIMD3(-38, 5, 35), 14, -4)])

private let situations = [
  Situation(
    name: "axial MR and CT, 5 mm slices",
    fixed: { Head().volume(.mr, spacing: SIMD3(2.5, 2.5, 5), size: SIMD3(80, 92, 40)) },
    moving: {
      Head().volume(
        .ct, spacing: SIMD3(2.5, 2.5, 5), size: SIMD3(84, 96, 42), center: $0(.zero), toHead: $0.inverse)
    }, limit: 5.0 / 3, pair: .ctMR),
  Situation(
    name: "coronal MR and PET",
    fixed: { Head().volume(.mr, size: SIMD3(50, 52, 58), axes: (SIMD3(1, 0, 0), SIMD3(0, 0, -1))) },
    moving: {
      Head().volume(
        .pet, spacing: SIMD3(5, 5, 5), size: SIMD3(46, 50, 40), center: $0(.zero), toHead: $0.inverse)
    }, limit: 2.5, pair: .mrPET),
  Situation(
    name: "MR of 5 mm slices and SPECT of 6.4 mm voxels",
    fixed: { Head().volume(.mr, spacing: SIMD3(2.5, 2.5, 5), size: SIMD3(80, 92, 36)) },
    moving: {
      Head().volume(
        .pet, spacing: SIMD3(6.4, 6.4, 6.4), size: SIMD3(40, 40, 32), center: $0(.zero), toHead: $0.inverse)
    }, limit: 3.2, pair: .mrSPECT),
  Situation(
    name: "a lesion that only the CT shows",
    fixed: { Head().volume(.mr) }, moving: { ill.volume(.ct, center: $0(.zero), toHead: $0.inverse) },
    limit: 1.5, pair: .ctMR),
  Situation(
    name: "an MR that cuts off the scalp and a CT with air all around",
    fixed: { Head().volume(.mr, size: SIMD3(34, 42, 44)) },
    moving: {
      Head().volume(.ct, size: SIMD3(70, 76, 56), center: $0(SIMD3(8, -6, 4)), toHead: $0.inverse)
    }, limit: 1.5, pair: .ctMR),
  Situation(
    name: "half a head of a tilted CT",
    fixed: { Head().volume(.mr) },
    moving: {
      Head().volume(
        .ct, size: SIMD3(54, 66, 26), center: $0(SIMD3(0, 0, 25)), shear: 0.33, toHead: $0.inverse)
    }, limit: 2, pair: .ctMR),
]

@Suite struct SituationTests {
  @Test(arguments: situations)
  private func `what scanners send is registered and believed`(_ situation: Situation) throws {
    let registration = RigidRegistration(
      fixed: try Pyramid(situation.fixed()), moving: try Pyramid(situation.moving(pose)))
    let result = registration.register()
    #expect(
      targetError(result.transform, pose) < situation.limit, "\(targetError(result.transform, pose)) mm")
    let evidence = registration.evidence(result)
    let verdict = RegistrationVerdict(evidence, of: situation.pair)
    #expect(verdict.accepted, "\(verdict.sentence ?? "") \(evidence)")
  }
}
