// What the last layer's values mean as grey values, where a file of weights says so.

internal import Tensors

/// The values that are shown as black and as white; what lies between is shown in proportion.
///
/// The published network shows the logistic function of its last layer, which bends every grey value. Every nonlinear part
/// before it sees planes normalised over the image, so no weights straighten it: docs/training.md has what that costs.
struct GreyLevels: Sendable, Equatable {
  /// Key of the metadata of a file of weights: black and white, a space between. Files without it are shown as published.
  static let key = "fused_levels"

  let black: Float
  let white: Float

  /// Nil where the file says nothing.
  ///
  /// Throws `damaged` where what it says is not two numbers that grow.
  init?(from weights: Weights) throws(WeightsError) {
    guard let text = weights.metadata[Self.key] else { return nil }
    let words = text.split(separator: " ", omittingEmptySubsequences: false),
      numbers = words.compactMap { Float($0) }
    guard words.count == 2, numbers.count == 2, numbers.allSatisfy(\.isFinite), numbers[0] < numbers[1] else {
      throw WeightsError(
        .damaged, file: weights.path,
        detail:
          "its metadata give \(Self.key) as \"\(text)\", which is not black and white as two numbers; install it again"
      )
    }
    (black, white) = (numbers[0], numbers[1])
  }
}
