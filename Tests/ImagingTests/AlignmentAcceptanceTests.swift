// The accept rule on deformations whose effect is known, synthetic and on real slice pairs where they are at hand.

import Foundation
import Testing

@testable import Imaging

/// A head of two contrasts: a bright rim, folds and a ventricle; `moving` shows the same anatomy differently.
private struct Head {
  let side = 96
  func anatomy(_ x: Double, _ y: Double) -> Double {
    let (u, v) = (x - 48, y - 50)
    let radius = (u * u / 1.2 + v * v).squareRoot()
    if radius > 38 { return 0 }
    if radius > 34 { return 1 }
    if abs(u) < 7 && abs(v + 3) < 12 { return 0.2 }
    return 0.55 + 0.12 * sin(u / 3.1) * cos(v / 3.7)
  }
  func plane(_ value: (Double, Double) -> Double) -> Plane {
    Plane(
      columns: side, rows: side,
      pixels: (0..<side * side).map { Float(value(Double($0 % side), Double($0 / side))) })
  }
  var fixed: Plane { plane { anatomy($0, $1) } }
  /// Contrast turned around, seen `dx`, `dy` pixels away from where it belongs.
  func moving(_ dx: Double, _ dy: Double) -> Plane {
    plane { x, y in
      let value = anatomy(x + dx, y + dy)
      return value == 0 ? 0 : 1.1 - 0.9 * value
    }
  }
  var inside: [Bool] { [Bool](repeating: true, count: side * side) }
}

private struct Example: Decodable {
  let set: String
  let kind: String
  let index: Int
}

@Suite struct AlignmentAcceptanceTests {
  private let head = Head()

  private func judge(
    _ moving: Plane, _ aligned: Plane, inside: [Bool]? = nil, folding: Double = 0, limit: Double = 0
  ) -> AlignmentAcceptance.Decision {
    AlignmentAcceptance(maximumFolding: limit).judge(
      .init(fixed: head.fixed, moving: moving, inside: inside ?? head.inside), aligned: aligned,
      folding: folding)
  }

  @Test func `a deformation that brings the anatomy together is accepted`() {
    for (dx, dy) in [(3.0, 0.0), (-2.5, 4), (0.8, -1)] {
      let decision = judge(head.moving(dx, dy), head.moving(0, 0))
      #expect(decision.accepted && decision.reason == nil)
      #expect(decision.after > decision.before && decision.before > 0)
    }
  }

  @Test func `a deformation that drives it apart is not`() {
    for (dx, dy) in [(3.0, 0.0), (-2.5, 4), (0.8, -1)] {
      let decision = judge(head.moving(0, 0), head.moving(dx, dy))
      #expect(!decision.accepted && decision.reason == .similarityFell)
    }
  }

  @Test func `a deformation that changes nothing is accepted`() {
    #expect(judge(head.moving(1, 1), head.moving(1, 1)).accepted)
  }

  @Test func `a field that folds is refused however alike the images are`() {
    let decision = judge(head.moving(3, 3), head.moving(0, 0), folding: 1e-5)
    #expect(!decision.accepted && decision.reason == .folding && decision.after > decision.before)
    #expect(judge(head.moving(3, 3), head.moving(0, 0), folding: 1e-5, limit: 1e-4).accepted)
  }

  @Test func `what cannot be judged is not accepted`() {
    var broken = head.moving(0, 0)
    broken[5, 5] = .nan
    #expect(judge(head.moving(1, 0), broken).reason == .notFinite)
    #expect(judge(head.moving(1, 0), head.moving(0, 0), folding: .nan).reason == .notFinite)
    let flat = Plane(columns: 96, rows: 96, repeating: 0.5)
    #expect(judge(flat, flat).reason == .noContrast)
    #expect(judge(head.moving(0, 0), flat).reason == .noContrast)
    let unseen = judge(
      head.moving(1, 0), head.moving(0, 0), inside: [Bool](repeating: false, count: 96 * 96))
    #expect(unseen.reason == .noOverlap && !unseen.accepted && unseen.before == 0)
  }

  @Test func `pixels outside the field of view have no say`() {
    // Right of the middle the moving image is missing; left of it the deformation helps.
    let inside = (0..<96 * 96).map { $0 % 96 < 48 }
    func cut(_ plane: Plane, _ value: Float) -> Plane {
      Plane(columns: 96, rows: 96, pixels: zip(plane.pixels, inside).map { $1 ? $0 : value })
    }
    #expect(judge(cut(head.moving(3, 0), 0), cut(head.moving(0, 0), 0.7), inside: inside).accepted)
  }

  static let slices = Judge.checkout.deletingLastPathComponent().appending(path: "shared/data/harvard")
  static var hasSlices: Bool { Judge.isAvailable && FileManager.default.fileExists(atPath: slices.path) }

  @Test(.enabled(if: hasSlices, "needs .venv and the registered slice pairs in ../shared/data/harvard"))
  func `on real pairs the right field is mostly accepted and a wrong one mostly not`() throws {
    try Judge.withFolder { folder in
      try Judge.run("deformations.py", Self.slices.path, folder.path)
      let examples = try JSONDecoder().decode(
        [Example].self, from: Data(contentsOf: folder.appending(path: "cases.json")))
      let pixels = try Judge.floats(folder.appending(path: "planes"))
      let area = 256 * 256
      var accepted: [String: [Double]] = [:]
      for example in examples {
        let planes = (0..<3).map { part in
          let start = (3 * example.index + part) * area
          return Plane(columns: 256, rows: 256, pixels: Array(pixels[start..<start + area]))
        }
        let inside = [Bool](repeating: true, count: area)
        let decision = AlignmentAcceptance(maximumFolding: 0).judge(
          .init(fixed: planes[0], moving: planes[1], inside: inside), aligned: planes[2], folding: 0)
        accepted["\(example.set) \(example.kind)", default: []].append(decision.accepted ? 1 : 0)
      }
      for (name, decisions) in accepted.sorted(by: { $0.key < $1.key }) {
        let share = decisions.reduce(0, +) / Double(decisions.count)
        print("accepted \(name): \((100 * share).rounded()) % of \(decisions.count)")
        #expect(name.hasSuffix("inverse") ? share >= 0.75 : share <= 0.5)
      }
    }
  }
}
