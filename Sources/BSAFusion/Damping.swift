// Weak flows made weaker: what a network finds in pairs that lie right already must not move them.

internal import FoundationEssentials
internal import Imaging
internal import Tensors

/// A factor for the flow of a pair, from its mean square and from the noise of the weights that predicted it.
///
/// The estimator of James and Stein (1961, positive part): a flow no longer than what the weights see in undeformed
/// pairs says nothing, a much longer one is hardly changed. docs/training.md has what it is worth.
struct Damping: Sendable {
  /// Key of the noise in the metadata of a file of weights; with `.PT` behind it for moving images of that modality, of
  /// which the general one is not true. Files without it leave every flow as it is.
  static let key = "flow_noise_px"
  /// Of the range of grey values: what is darker in both images is not looked at.
  private static let background: Float = 0.06

  /// Root mean square length of the flow on undeformed pairs, pixels; more than 0.
  let noise: Double

  /// Nil where the noise is 0: nothing is damped.
  init?(noise: Double) {
    guard noise > 0 else { return nil }
    self.noise = noise
  }

  /// The noises that a file gives, pixels, by modality of the moving image; `""` has the general one.
  ///
  /// Throws `damaged` where one is not a length.
  static func noises(from weights: Weights) throws(WeightsError) -> [String: Double] {
    var noises: [String: Double] = [:]
    for (word, text) in weights.metadata where word == key || word.hasPrefix(key + ".") {
      guard let noise = Double(text), noise.isFinite, noise >= 0 else {
        throw WeightsError(
          .damaged, file: weights.path,
          detail: "its metadata give \(word) as \"\(text)\", which is no length in pixels; install it again"
        )
      }
      noises[String(word.dropFirst(key.count + 1))] = noise
    }
    return noises
  }

  /// max(0, 1 − noise² / mean |flow|²), the mean over the pixels that are bright in either image; 0 where none is.
  ///
  /// dx, dy: row-major, pixels. Fixed and moving image: 0…1.
  func factor(dx: [Float], dy: [Float], fixed: Plane, moving: Plane) -> Float {
    let least = (moving.pixels.min() ?? 0) + Self.background
    var energy = 0.0, count = 0.0
    for i in dx.indices where fixed.pixels[i] > Self.background || moving.pixels[i] > least {
      energy += Double(dx[i] * dx[i] + dy[i] * dy[i])
      count += 1
    }
    return energy > 0 ? Float(max(0, 1 - noise * noise * count / energy)) : 0
  }

  /// flow: 2 × S × S, pixels, x then y; overwritten.
  func apply(to flow: FeatureMap, fixed: Plane, moving: Plane) {
    let x = flow.channels(0..<1), y = flow.channels(1..<2)
    let dx = x.values(), dy = y.values()
    let factor = factor(dx: dx, dy: dy, fixed: fixed, moving: moving)
    x.fill(from: dx.map { factor * $0 })
    y.fill(from: dy.map { factor * $0 })
  }
}
