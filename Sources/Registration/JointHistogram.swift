// Normalised mutual information of a joint histogram, and its derivative by every cell.

import Glibc

/// Counts of pairs of fixed bin (row) and moving bin (column).
struct JointHistogram {
  let bins: Int
  var cells: [Double]

  init(bins: Int) {
    self.bins = bins
    cells = [Double](repeating: 0, count: bins * bins)
  }

  /// A count below this share of a pair is none, so that its logarithm stays finite.
  private static let least = 1e-12

  struct Information {
    /// (H(F) + H(M)) / H(F, M), 1…2 (Studholme, Hill and Hawkes 1999).
    let normalized: Double
    /// H(F) + H(M) - H(F, M), nats.
    let mutual: Double
    let joint: Double
    let logJoint: [Double]
    let logFixed: [Double]
    let logMoving: [Double]
    let total: Double
  }

  func information() -> Information {
    let total = max(cells.reduce(0, +), 1)
    var (fixed, moving) = ([Double](repeating: 0, count: bins), [Double](repeating: 0, count: bins))
    for row in 0..<bins {
      for column in 0..<bins {
        fixed[row] += cells[row * bins + column]
        moving[column] += cells[row * bins + column]
      }
    }
    func logarithms(_ counts: [Double]) -> [Double] { counts.map { log(max($0 / total, Self.least)) } }
    func entropy(_ counts: [Double], _ logs: [Double]) -> Double {
      -zip(counts, logs).reduce(0) { $0 + $1.0 * $1.1 } / total
    }
    let logs = (logarithms(fixed), logarithms(moving), logarithms(cells))
    let (f, m, joint) = (entropy(fixed, logs.0), entropy(moving, logs.1), entropy(cells, logs.2))
    return Information(
      normalized: joint > 0 ? (f + m) / joint : 1, mutual: max(0, f + m - joint), joint: joint,
      logJoint: logs.2,
      logFixed: logs.0, logMoving: logs.1, total: total)
  }
}

extension JointHistogram.Information {
  /// Derivative of the normalised information by each cell's count, up to a constant that the B-spline's weights, which
  /// sum to one, cancel; the fixed marginal is taken as given.
  func slope(bins: Int) -> [Float] {
    let scale = 1 / (max(joint, 1e-9) * total)
    return logJoint.indices.map { Float((normalized * logJoint[$0] - logMoving[$0 % bins]) * scale) }
  }
}
