// Which of two usable series is better, by the configuration's list; ties end with number and UID.

import Imaging

/// One line of a preference list: meeting a condition comes first, or an order does.
public enum SeriesPreference: Codable, Hashable, Sendable {
  public enum Order: String, Codable, Sendable, CaseIterable {
    case mostSlices = "most_slices"
    /// Smallest distance of neighbouring slices.
    case thinnest
  }
  case meets(SeriesCondition)
  case order(Order)

  /// Lower is better.
  func score(_ facts: SeriesFacts) -> Double {
    switch self {
    case .meets(let condition): condition.holds(facts) ? 0 : 1
    case .order(.mostSlices): -Double(facts.slices)
    // Rounded to a tenth of a mm: positions are, and noise in them must not decide.
    case .order(.thinnest): ((facts.spacing ?? 1e3) * 10).rounded()
    }
  }

  var words: String {
    switch self {
    case .meets(let condition): "it is \(condition.words)"
    case .order(.mostSlices): "it has more slices"
    case .order(.thinnest): "its slices are closer"
    }
  }
}

/// A series' place in a preference list; total and the same on every machine.
struct Rank: Comparable {
  let scores: [Double]
  let number: Int
  let uid: String

  static func < (a: Rank, b: Rank) -> Bool {
    for (x, y) in zip(a.scores, b.scores) where x != y { return x < y }
    return (a.number, a.uid) < (b.number, b.uid)
  }

  /// The first line of `list` on which this rank is better, nil where only number or UID is.
  func advantage(over other: Rank, in list: [SeriesPreference]) -> SeriesPreference? {
    zip(list, zip(scores, other.scores)).first { $0.1.0 != $0.1.1 }?.0
  }
}
