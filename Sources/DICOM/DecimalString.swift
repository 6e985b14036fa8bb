// Numbers as DS values (PS3.5 6.2): at most 16 characters, as close to the number as these allow.

import Foundation

/// One DS value.
struct DecimalString: Hashable, Sendable {
  /// Longest DS, characters (PS3.5 6.2).
  static let maximumLength = 16

  let text: String

  /// Nil for what is not finite.
  init?(_ value: Double) {
    guard value.isFinite else { return nil }
    // -0 is 0: a sign that means nothing must not make two equal grids differ.
    let number = value == 0 ? 0 : value
    let shortest = "\(number)".replacing(/\.0$/, with: "")
    if shortest.utf8.count <= Self.maximumLength {
      text = shortest
      return
    }
    for digits in stride(from: 15, through: 1, by: -1) {
      let candidate = String(format: "%.\(digits)g", number)
      if candidate.utf8.count <= Self.maximumLength {
        text = candidate
        return
      }
    }
    return nil
  }
}
