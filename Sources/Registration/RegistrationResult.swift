// What a registration found and how it went; the verdict on it is drawn elsewhere.

public import Imaging

/// What happened at one resolution.
public struct RegistrationStageRecord: Sendable, Hashable, Codable {
  public let level: Int
  public let climbs: Int
  public let evaluations: Int
  public let best: Double
  /// Climbs that ended within three millimetres of the best one.
  public let agreeing: Int
  /// What the best of the others is worth, as a share of the best climb; nil where all agree.
  public let rival: Double?
}

/// The way to a result, coarse to fine.
public struct RegistrationTrail: Sendable, Hashable, Codable {
  public private(set) var stages: [RegistrationStageRecord] = []
  static let agreement = 3.0

  /// Share of the climbs at the last stage with several that ended at the result.
  public var agreement: Double {
    guard let stage = stages.last(where: { $0.climbs > 1 }) else { return 1 }
    return Double(stage.agreeing) / Double(stage.climbs)
  }

  /// What the best climb that ended elsewhere is worth at the finest stage that had several, as a share of the result; 0 where
  /// there was none. The coarsest stage does not count: what lies there side by side soon falls into one.
  public var rival: Double { stages.dropFirst().last { $0.climbs > 1 }?.rival ?? 0 }

  mutating func note(_ level: Int, _ climbs: [Climb], _ comparison: Comparison, _ distance: PoseDistance) {
    guard let best = climbs.max(by: { $0.rank < $1.rank }) else { return }
    let others = climbs.filter { distance($0.transform, best.transform) > Self.agreement }
    let rival = others.map(\.rank).max().map { $0 / max(best.rank, 1e-9) }
    stages.append(
      RegistrationStageRecord(
        level: level, climbs: climbs.count, evaluations: comparison.evaluations, best: best.value,
        agreeing: climbs.count - others.count, rival: rival))
  }
}

public struct RegistrationResult: Sendable, Hashable, Codable {
  /// Fixed to moving coordinates.
  public let transform: RigidTransform
  /// Normalised mutual information at the finest level, 1…2.
  public let value: Double
  public let converged: Bool
  public let trail: RegistrationTrail
}
