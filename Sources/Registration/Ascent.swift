// Climbs from a pose to the nearest maximum of the measure: BFGS with a backtracking line search.

internal import Imaging

/// Where a climb ended.
struct Climb: Sendable {
  var transform: RigidTransform
  var value: Double
  /// Share of the points on the moving image.
  var overlap: Double
  var steps = 0
  /// Did it end because nothing was to be gained any more?
  var converged = false

  /// What climbs are compared by. Information per pair rises as images are pulled apart until little more than their rims
  /// overlap, so a pose is worth less the less it overlaps.
  var rank: Double { (value - 1) * overlap.squareRoot() }
}

extension Climb {
  init(_ comparison: Comparison, at transform: RigidTransform) {
    self.init(transform: transform, value: comparison.value(at: transform), overlap: comparison.overlap)
  }
}

/// Quasi-Newton ascent (Nocedal and Wright, Numerical Optimization, chapter 6) over small motions.
struct Ascent {
  /// Length of the first step, mm.
  let firstStep: Double
  /// Longest step, mm.
  let longestStep: Double
  /// A step shorter than this ends the climb, mm.
  let leastStep: Double
  let mostSteps: Int
  /// Share of the expected gain that a step must bring (Armijo).
  private static let leastGain = 1e-4
  private static let mostTrials = 10

  func climb(_ comparison: Comparison, from start: RigidTransform) -> Climb {
    var climb = Climb(comparison, at: start)
    guard climb.value > 1 else { return climb }
    var gradient = comparison.gradient()
    var inverse = InverseHessian(scale: firstStep / max(gradient.norm, 1e-12))
    while climb.steps < mostSteps {
      var direction = inverse.times(gradient)
      if (direction * gradient).sum() <= 0 {
        inverse = InverseHessian(scale: firstStep / max(gradient.norm, 1e-12))
        direction = inverse.times(gradient)
      }
      direction *= min(1, longestStep / max(direction.norm, 1e-12))
      guard let step = search(comparison, climb, direction, gradient) else {
        climb.converged = true
        break
      }
      climb.steps += 1
      climb.transform = comparison.moved(climb.transform, by: step.motion)
      climb.value = step.value
      climb.overlap = comparison.overlap
      let next = comparison.gradient()
      inverse.update(step: step.motion, change: gradient - next)
      gradient = next
      if step.motion.norm < leastStep {
        climb.converged = true
        break
      }
    }
    return climb
  }

  /// A step along `direction` that gains enough; nil where there is none. Leaves the comparison at the new pose.
  private func search(_ comparison: Comparison, _ from: Climb, _ direction: Motion, _ gradient: Motion)
    -> (motion: Motion, value: Double)?
  {
    let rise = (direction * gradient).sum()
    var scale = 1.0
    for _ in 0..<Self.mostTrials {
      let motion = scale * direction
      let value = comparison.value(at: comparison.moved(from.transform, by: motion))
      if value >= from.value + Self.leastGain * scale * rise { return (motion, value) }
      if motion.norm < leastStep { return nil }
      // The parabola through both values and the slope, kept within a tenth and a half.
      let parabola = rise * scale * scale / (2 * (from.value + rise * scale - value))
      scale = min(max(parabola, scale / 10), scale / 2)
    }
    return nil
  }
}

/// Inverse of the negative second derivative, built up from steps; six by six.
private struct InverseHessian {
  private var rows: [Motion]

  init(scale: Double) {
    rows = (0..<6).map { k in
      var row = Motion.zero
      row[k] = scale
      return row
    }
  }

  func times(_ v: Motion) -> Motion {
    var result = Motion.zero
    for k in 0..<6 { result[k] = (rows[k] * v).sum() }
    return result
  }

  /// `change` is by how much the gradient fell along `step`.
  mutating func update(step: Motion, change: Motion) {
    let curvature = (step * change).sum()
    guard curvature > 1e-12 * step.norm * change.norm else { return }
    let through = times(change)
    let factor = (1 + (change * through).sum() / curvature) / curvature
    for k in 0..<6 {
      let (along, across) = (factor * step[k] - through[k] / curvature, step[k] / curvature)
      rows[k] += along * step
      rows[k] -= across * through
    }
  }
}

extension Motion {
  var norm: Double { (self * self).sum().squareRoot() }
}
