// Brings one image to another by a rotation and a translation: many starts, coarse to fine – no verdict on the result.

internal import CKernels
public import Imaging

/// Registration by normalised mutual information (Studholme, Hill and Hawkes 1999) with B-spline windows on the moving
/// values as in Mattes et al. (IEEE TMI 22, 2003). Deterministic: the same images give the same bits.
public struct RigidRegistration: Sendable {
  /// One resolution: how many points, how many climbs go in, how far apart they must be, how they step.
  struct Stage {
    let level: Int
    let points: Int
    let climbs: Int
    let apart: Double
    let mostSteps: Int
  }

  static let stages = [
    Stage(level: 3, points: 2_500, climbs: 32, apart: 12, mostSteps: 30),
    Stage(level: 2, points: 10_000, climbs: 10, apart: 5, mostSteps: 30),
    Stage(level: 1, points: 30_000, climbs: 3, apart: 3, mostSteps: 30),
    Stage(level: 0, points: 100_000, climbs: 1, apart: 1, mostSteps: 30),
  ]
  /// Points are taken from the body and this much around it, mm: the skin is an edge worth having.
  static let margin = 12.0
  static let seed: UInt64 = 0x5eed

  public let fixed: Pyramid
  public let moving: Pyramid
  let isa: fk_isa
  let region: Mask
  let distance: PoseDistance

  public init(fixed: Pyramid, moving: Pyramid) {
    self.fixed = fixed
    self.moving = moving
    isa = fk_best_isa()
    region = fixed.body.grown(by: Self.margin)
    distance = PoseDistance(center: fixed.center, radius: fixed.radius)
  }

  /// The best pose found. `header` is where the positions in the headers put the moving image.
  public func register(header: RigidTransform = .identity) -> RegistrationResult {
    var climbs: [Climb] = []
    var trail = RegistrationTrail()
    for (number, stage) in Self.stages.enumerated() {
      let comparison = comparison(stage)
      if number == 0 {
        climbs = StartSearch(comparison: comparison, measure: distance, target: moving.center)
          .starts(stage.climbs, header: header)
      } else {
        climbs = distance.distinct(climbs, apart: stage.apart, most: stage.climbs)
      }
      let ascent = Ascent(stage, pitch: moving.levels[stage.level].geometry.spacing.max())
      climbs = climbs.map { ascent.climb(comparison, from: $0.transform) }
      trail.note(stage.level, climbs, comparison, distance)
    }
    let best = climbs[0]
    return RegistrationResult(
      transform: best.transform, value: best.value, converged: best.converged, trail: trail)
  }

  func comparison(_ stage: Stage) -> Comparison {
    let points = PointSet(
      about: fixed.center, over: region, wanted: stage.points, of: fixed.levels[stage.level],
      bins: Comparison.bins, seed: Self.seed &+ UInt64(stage.level), isa: isa)
    return Comparison(points: points, field: moving.levels[stage.level], radius: fixed.radius, isa: isa)
  }
}

extension Ascent {
  init(_ stage: RigidRegistration.Stage, pitch: Double) {
    self.init(
      firstStep: pitch / 2, longestStep: 2 * pitch, leastStep: pitch / 500, mostSteps: stage.mostSteps)
  }
}
