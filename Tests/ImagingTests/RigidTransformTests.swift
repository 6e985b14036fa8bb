// Rigid transforms: algebra, coding and the refusal of what is not rigid.

import Foundation
import Testing

@testable import Imaging

@Suite struct RigidTransformTests {
  let turned = RigidTransform(
    rotation: SIMD3(0.3, -0.2, 1.1), about: SIMD3(10, -20, 30), translation: SIMD3(4, 5, -6))
  let other = RigidTransform(rotation: SIMD3(-0.7, 0.1, 0.4), translation: SIMD3(-1, 2, 3))
  let point = SIMD3(12.5, -80, 41)

  @Test func `the inverse brings a point back`() {
    let back = turned.inverse(turned(point))
    #expect(length(back - point) < 1e-12)
  }

  @Test func `composition applies the first transform first`() {
    let both = other.after(turned)
    #expect(length(both(point) - other(turned(point))) < 1e-12)
    #expect(length(other.after(.identity)(point) - other(point)) < 1e-12)
  }

  @Test func `a quarter turn about z sends x to y`() {
    let quarter = RigidTransform(rotation: SIMD3(0, 0, .pi / 2))
    #expect(length(quarter(SIMD3(1, 0, 0)) - SIMD3(0, 1, 0)) < 1e-15)
  }

  @Test func `the centre of rotation stays where it is`() {
    let about = RigidTransform(rotation: SIMD3(0.3, 0.2, 0.1), about: point)
    #expect(length(about(point) - point) < 1e-12)
  }

  @Test func `coding keeps all sixteen numbers`() throws {
    let data = try JSONEncoder().encode(turned)
    #expect(try JSONDecoder().decode(RigidTransform.self, from: data) == turned)
  }

  @Test func `a registration rounded to six digits is still rigid`() throws {
    let rounded = turned.matrix.map { ($0 * 1e6).rounded() / 1e6 }
    #expect(length(try RigidTransform(matrix: rounded)(point) - turned(point)) < 1e-3)
  }

  @Test(arguments: [
    [1.01, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],  // scaling
    [1, 0.01, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],  // shear
    [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],  // reflection
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0.1, 0, 0, 1],  // projection
    [1, 0, 0, .nan, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    [1, 0, 0, 0, 1, 0, 0, 0, 1], [],
  ])
  func `what is not rigid is refused`(matrix: [Double]) {
    let error = #expect(throws: ImagingError.self) { try RigidTransform(matrix: matrix) }
    #expect(error?.reason == .notRigid)
  }

  @Test func `a stored transform that is not rigid cannot be decoded`() {
    let data = Data("[2,0,0,0,0,2,0,0,0,0,2,0,0,0,0,1]".utf8)
    #expect(throws: ImagingError.self) { try JSONDecoder().decode(RigidTransform.self, from: data) }
  }
}

func length(_ v: SIMD3<Double>) -> Double { dot(v, v).squareRoot() }
