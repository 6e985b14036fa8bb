// Numbers that tell a good registration from a bad one – measured here, judged by the verdict.

internal import CKernels
internal import Glibc
public import Imaging

/// What speaks for and against a result.
public struct RegistrationEvidence: Sendable, Hashable, Codable {
  /// Normalised mutual information (1…2) where the headers put the image, and at the result, same points.
  public let before: Double
  public let after: Double
  /// Share of the smaller body that lies in both fields of view, 0…1.
  public let overlap: Double
  /// By how many standard deviations the result's measure exceeds that of random poses of the same pair.
  public let significance: Double
  /// Shift that the parts of the body would still like, mm: three in five, by weight, want less; nil where nothing could be
  /// told.
  public let residual: Double?
  /// What those shifts would gain, as a share of what the parts gain between their worst and their best shift, 0…1.
  public let misfit: Double?
  /// What the parts lose two millimetres from their best shifts, as the same share: small where images are blurred.
  public let sharpness: Double?
  /// Share of the climbs from different starts that ended within three millimetres of the result, at the finest stage that
  /// had several.
  public let agreement: Double
  /// What the best climb that ended elsewhere was worth, as a share of the result; 0 where there was none.
  public let rival: Double
  /// Turn from where the headers put the image, degrees.
  public let turn: Double
  /// Shift of the body's centre from there, mm.
  public let shift: Double
  public let converged: Bool
}

extension RigidRegistration {
  /// Random poses that say what the measure is worth where nothing fits.
  static let randomPoses = 40
  static let randomTurn = 40.0
  static let randomShift = 40.0
  static let residualShare = 0.6

  /// Measures a result.
  public func evidence(_ result: RegistrationResult, header: RigidTransform = .identity)
    -> RegistrationEvidence
  {
    let comparison = comparison(Self.stages[1])
    let before = comparison.value(at: header)
    let after = comparison.value(at: result.transform)
    let fine = self.comparison(Self.stages[2])
    let local = LocalResidual(comparison: fine, transform: result.transform).summary(
      share: Self.residualShare)
    let relative = header.inverse.after(result.transform)
    let center = fixed.center
    return RegistrationEvidence(
      before: before, after: after, overlap: overlap(result.transform),
      significance: significance(after, result.transform, comparison),
      residual: local?.shift, misfit: local?.misfit,
      sharpness: local?.sharpness,
      agreement: result.trail.agreement, rival: result.trail.rival, turn: relative.turnDegrees,
      shift: length(result.transform(center) - header(center)), converged: result.converged)
  }

  /// Poses turned and shifted at random from the result, both moving the image clearly.
  private func significance(_ value: Double, _ transform: RigidTransform, _ comparison: Comparison) -> Double
  {
    var random = SplitMix(state: Self.seed)
    func drawn(_ most: Double) -> SIMD3<Double> {
      let v = SIMD3(random.unit(), random.unit(), random.unit()) * 2 - 1
      return most * v
    }
    let values = (0..<Self.randomPoses).map { _ in
      let motion = RigidTransform(
        rotation: drawn(Self.randomTurn) * .pi / 180, about: transform(fixed.center),
        translation: drawn(Self.randomShift))
      return comparison.value(at: motion.after(transform))
    }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    return (value - mean) / max(variance.squareRoot(), 1e-6)
  }

  private func overlap(_ transform: RigidTransform) -> Double {
    let there = transform.inverse
    let ours = common(fixed.body, with: moving.levels[0].geometry, through: transform)
    let theirs = common(moving.body, with: fixed.levels[0].geometry, through: there)
    let volumes = [fixed.body, moving.body].map { Double($0.count) * $0.geometry.voxelVolume }
    return volumes[0] <= volumes[1] ? ours : theirs
  }

  /// Share of a body inside a field of view.
  private func common(_ body: Mask, with field: FieldGeometry, through transform: RigidTransform) -> Double {
    var (inside, all) = (0.0, 0.0)
    let last = SIMD3<Double>(field.size) - 0.5
    body.forEachIndex { index, at in
      guard body.voxels[at] else { return }
      all += 1
      let there = field.index(of: transform(body.geometry.position(index)))
      if (0..<3).allSatisfy({ there[$0] >= -0.5 && there[$0] <= last[$0] }) { inside += 1 }
    }
    return all > 0 ? inside / all : 0
  }
}

extension RigidTransform {
  /// Angle of the rotation about its axis, degrees.
  public var turnDegrees: Double {
    let rows = rotationRows
    let cosine = (rows[0].x + rows[1].y + rows[2].z - 1) / 2
    return acos(min(max(cosine, -1), 1)) * 180 / .pi
  }
}
