// The measure and its derivative.

import CKernels
import Imaging
import Testing

@testable import Registration

@Suite struct ComparisonTests {
  @Test func `the derivative is that of the value`() throws {
    let head = Head()
    let pose = RigidTransform(rotation: degrees(4, -3, 5), translation: SIMD3(3, -4, 2))
    let fixed = try Pyramid(head.volume(.mr))
    let moving = try Pyramid(head.volume(.ct, shear: 0.2))
    let registration = RigidRegistration(fixed: fixed, moving: moving)
    let comparison = registration.comparison(RigidRegistration.stages[1])
    _ = comparison.value(at: pose)
    let gradient = comparison.gradient()
    for k in 0..<6 {
      var motion = Motion.zero
      motion[k] = 0.05
      let up = comparison.value(at: comparison.moved(pose, by: motion))
      let down = comparison.value(at: comparison.moved(pose, by: -motion))
      let expected = (up - down) / 0.1
      // Points that leave the image between both poses are the difference.
      #expect(
        abs(gradient[k] - expected) < 0.1 * gradient.norm, "component \(k): \(gradient[k]) and \(expected)")
    }
  }

  @Test func `information of a histogram that is independent is none, of one to one is all`() {
    var joint = JointHistogram(bins: 8)
    for cell in joint.cells.indices { joint.cells[cell] = 3 }
    #expect(abs(joint.information().normalized - 1) < 1e-12)
    for cell in joint.cells.indices { joint.cells[cell] = cell % 9 == 0 ? 5 : 0 }
    #expect(abs(joint.information().normalized - 2) < 1e-9)
  }

  @Test func `the couch is cut from the head it touches`() {
    let geometry = FieldGeometry(
      size: SIMD3(40, 40, 20), origin: .zero, steps: [SIMD3(4, 0, 0), SIMD3(0, 4, 0), SIMD3(0, 0, 4)])
    var values = [Float](repeating: 0, count: geometry.count)
    for w in 0..<20 {
      for v in 0..<40 {
        for u in 0..<40 {
          let inHead = length(SIMD3(Double(u) - 20, Double(v) - 15, 0)) < 12
          let isCouch = v >= 27 && v <= 27
          if inHead || isCouch { values[(w * 40 + v) * 40 + u] = 1 }
        }
      }
    }
    let body = Mask(above: 0.5, in: Field(geometry: geometry, values: values)).body()
    let farCouch = (0..<20).filter { body.voxels[($0 * 40 + 27) * 40 + 2] }
    #expect(farCouch.isEmpty)
    #expect(body.voxels[(10 * 40 + 15) * 40 + 20])
    #expect(body.voxels[(10 * 40 + 5) * 40 + 20])
  }
}
