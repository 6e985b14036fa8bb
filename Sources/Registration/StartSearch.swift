// Where to climb from: a coarse raster of rotations and shifts, scored at the coarsest level.

internal import CKernels
internal import Imaging

/// Poses worth climbing from, best first, each of them apart from the others.
struct StartSearch {
  /// Turns about each axis, degrees; heads lie within ±30° of what the headers say, climbs reach 10° and more.
  static let turns: [Double] = [-30, -15, 0, 15, 30]
  /// Shifts from centroid on centroid, mm; a field of view that ends early displaces the centroid mostly along the body.
  static let shifts: [Double] = [-24, 0, 24]
  static let lengthwiseShifts: [Double] = [-48, -24, 0, 24, 48]
  /// Poses closer than this are one, mm.
  static let apart = 12.0

  let comparison: Comparison
  let measure: PoseDistance
  /// Centroid of the moving body, mm.
  let target: SIMD3<Double>

  func starts(_ wanted: Int, header: RigidTransform) -> [Climb] {
    var all: [Climb] = []
    for turn in rotations() {
      for base in [target, header(comparison.points.center)] {
        for shift in base == target ? offsets() : [.zero] {
          let center = comparison.points.center
          let pose = RigidTransform(rotation: turn, about: center, translation: base + shift - center)
          all.append(Climb(comparison, at: pose))
        }
      }
    }
    return measure.distinct(all, apart: Self.apart, most: wanted)
  }

  private func rotations() -> [SIMD3<Double>] {
    Self.turns.flatMap { x in Self.turns.flatMap { y in Self.turns.map { SIMD3(x, y, $0) * .pi / 180 } } }
  }

  private func offsets() -> [SIMD3<Double>] {
    Self.shifts.flatMap { x in Self.shifts.flatMap { y in Self.lengthwiseShifts.map { SIMD3(x, y, $0) } } }
  }
}

/// How far two poses bring the body apart.
struct PoseDistance: Sendable {
  let center: SIMD3<Double>
  let radius: Double

  /// Largest displacement between both over six points at the body's radius, mm.
  func callAsFunction(_ a: RigidTransform, _ b: RigidTransform) -> Double {
    var most = 0.0
    for axis in 0..<3 {
      for side in [-radius, radius] {
        var point = center
        point[axis] += side
        most = max(most, length(a(point) - b(point)))
      }
    }
    return most
  }

  /// The best of the climbs, none closer than `apart` mm to a better one.
  func distinct(_ climbs: [Climb], apart: Double, most: Int) -> [Climb] {
    var kept: [Climb] = []
    for climb in climbs.sorted(by: { $0.rank > $1.rank }) {
      if kept.count == most { break }
      if kept.allSatisfy({ self($0.transform, climb.transform) >= apart }) { kept.append(climb) }
    }
    return kept
  }
}
