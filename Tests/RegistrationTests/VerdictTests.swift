// The verdict: what is refused, and with which code.

import Testing

@testable import Registration

private func evidence(
  before: Double = 1.02, after: Double = 1.17, overlap: Double = 0.9, significance: Double = 9,
  misfit: Double? = 0.002,
  rival: Double = 0, turn: Double = 20
) -> RegistrationEvidence {
  RegistrationEvidence(
    before: before, after: after, overlap: overlap, significance: significance, residual: 1, misfit: misfit,
    sharpness: 0.1, agreement: 1, rival: rival, turn: turn, shift: 50, converged: true)
}

@Suite struct VerdictTests {
  @Test func `good evidence is accepted`() {
    let verdict = RegistrationVerdict(evidence(), of: .ctMR)
    #expect(verdict.accepted && verdict.reason == nil && verdict.sentence == nil)
  }

  @Test(arguments: [
    (evidence(overlap: 0.1), RegistrationVerdict.Reason.overlap), (evidence(turn: 80), .outOfRange),
    (evidence(significance: 2), .notSignificant), (evidence(before: 1.2), .notBetter),
    (evidence(rival: 0.995), .ambiguous), (evidence(misfit: 0.05), .misfit), (evidence(misfit: nil), .misfit),
  ])
  func `each kind of bad evidence has its own code`(
    _ evidence: RegistrationEvidence, _ reason: RegistrationVerdict.Reason
  ) {
    let verdict = RegistrationVerdict(evidence, of: .mrPET)
    #expect(!verdict.accepted && verdict.reason == reason && verdict.sentence != nil)
  }

  @Test func `images that are blurred are allowed more, unknown ones least`() {
    let loose = evidence(misfit: 0.015)
    #expect(
      RegistrationVerdict(loose, of: .mrPET).accepted && RegistrationVerdict(loose, of: .mrSPECT).accepted)
    for pair in [RegisteredPair.ctMR, .ctPET, nil] {
      #expect(RegistrationVerdict(loose, of: pair).reason == .misfit)
    }
  }

  @Test func `another head does not pass for the same one`() throws {
    let registration = RigidRegistration(
      fixed: try Pyramid(Head().volume(.mr)), moving: try Pyramid(Head.other.volume(.ct)))
    #expect(!RegistrationVerdict(registration.evidence(registration.register()), of: .ctMR).accepted)
  }

  @Test func `the same head passes`() throws {
    let registration = RigidRegistration(
      fixed: try Pyramid(Head().volume(.mr)), moving: try Pyramid(Head().volume(.ct, center: SIMD3(3, -4, 5)))
    )
    #expect(RegistrationVerdict(registration.evidence(registration.register()), of: .ctMR).accepted)
  }
}
