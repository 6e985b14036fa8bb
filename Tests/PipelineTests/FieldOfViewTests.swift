// Outside the moving series' field of view the picture is the fixed image's own; the mask moves with the deformation.

import BSAFusion
import Imaging
import Testing

@testable import Pipeline

@Suite struct FieldOfViewTests {
  private let fixed = Plane(columns: 4, rows: 2, repeating: 0.25)
  private let fused = Plane(columns: 4, rows: 2, repeating: 0.75)
  /// The left half has data.
  private let inside = [true, true, false, false, true, true, false, false]

  private func flow(_ dx: Float) -> Flow {
    Flow(dx: Plane(columns: 4, rows: 2, repeating: dx), dy: Plane(columns: 4, rows: 2))
  }

  @Test func `where there is no data the fixed image stands alone`() {
    let view = FieldOfView(inside: inside, columns: 4, rows: 2, flow: flow(0))
    #expect(view.compose(fused, fixed: fixed).pixels == inside.map { $0 ? 0.75 : 0.25 })
  }

  @Test func `the mask is deformed as the image is`() {
    let view = FieldOfView(inside: inside, columns: 4, rows: 2, flow: flow(1))
    #expect(view.covered == [true, false, false, false, true, false, false, false])
  }

  @Test func `a slice that is covered wholly stays as the network made it`() {
    let all = [Bool](repeating: true, count: 8)
    let view = FieldOfView(inside: all, columns: 4, rows: 2, flow: flow(3))
    #expect(view.isWhole)
    #expect(view.compose(fused, fixed: fixed) == fused)
  }
}
