// Whole registrations of a simple head whose pose is known.

import Imaging
import Testing

@testable import Registration

/// Where the head lies in the moving image's coordinates.
private let far = RigidTransform(rotation: degrees(-22, 18, 27), translation: SIMD3(48, -55, 37))

private func found(_ fixed: Volume, _ moving: Volume) throws -> (RigidTransform, RegistrationEvidence) {
  let registration = RigidRegistration(fixed: try Pyramid(fixed), moving: try Pyramid(moving))
  let result = registration.register()
  return (result.transform, registration.evidence(result))
}

@Suite struct RegistrationTests {
  @Test func `a CT far away and turned is brought onto the MR`() throws {
    let head = Head()
    let moving = head.volume(.ct, center: SIMD3(46, -50, 40), toHead: far.inverse)
    let (transform, evidence) = try found(head.volume(.mr), moving)
    #expect(targetError(transform, far) < 0.5)
    #expect(evidence.after > evidence.before)
    #expect(evidence.overlap > 0.9)
  }

  @Test func `the same images give the same bits`() throws {
    let head = Head()
    let (fixed, moving) = (head.volume(.mr), head.volume(.pet, toHead: far.inverse))
    let first = try found(fixed, moving)
    let second = try found(fixed, moving)
    #expect(first.0 == second.0 && first.1 == second.1)
  }

  @Test func `a tilted gantry with uneven slices and a sagittal MR are no hindrance`() throws {
    let head = Head()
    var depths: [Double] = []
    for k in 0..<34 { depths.append((depths.last ?? -84) + (k % 7 == 3 ? 7 : 4.5)) }
    let tilted = head.volume(
      .ct, center: SIMD3(46, -50, 30), shear: 0.33, toHead: far.inverse, depths: depths)
    let sagittal = head.volume(.mr, size: SIMD3(58, 52, 46), axes: (SIMD3(0, 1, 0), SIMD3(0, 0, -1)))
    let (transform, _) = try found(sagittal, tilted)
    #expect(targetError(transform, far) < 1)
  }

  @Test func `slices of seven millimetres are registered to a third of their thickness`() throws {
    let head = Head()
    let thick = head.volume(
      .ct, spacing: SIMD3(2, 2, 7), size: SIMD3(96, 110, 27), center: SIMD3(46, -50, 40), toHead: far.inverse)
    let (transform, _) = try found(head.volume(.mr), thick)
    #expect(targetError(transform, far) < 7.0 / 3)
  }

  @Test func `a field of view that ends in the middle of the head is enough`() throws {
    let head = Head()
    let half = head.volume(
      .ct, size: SIMD3(50, 58, 26), center: far(SIMD3(0, 0, 25)), toHead: far.inverse)
    let (transform, evidence) = try found(head.volume(.mr), half)
    #expect(targetError(transform, far) < 2)
    #expect(evidence.overlap > 0.5)
  }

  @Test func `an image without contrast or depth is refused`() {
    let plane = PlaneGrid(
      columns: 16, rows: 16, origin: .zero, rowDirection: SIMD3(1, 0, 0), columnDirection: SIMD3(0, 1, 0),
      columnSpacing: 1, rowSpacing: 1)
    let grid = VolumeGrid(plane: plane, origins: (0..<8).map { SIMD3(0, 0, Double($0)) })
    #expect(throws: RegistrationError.self) {
      try Pyramid(Volume(grid: grid, voxels: [Float](repeating: 3, count: 16 * 16 * 8)))
    }
    #expect(throws: RegistrationError.self) {
      try Pyramid(Head().volume(.mr, size: SIMD3(50, 58, 2)))
    }
  }
}
