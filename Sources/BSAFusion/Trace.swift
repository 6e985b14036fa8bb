// Showing intermediates of a pass under the names of the reference model's modules – nothing is computed for it unasked.

internal import Tensors

/// Gets every intermediate of a pass: name, shape (outermost axis first, batch 1) and row-major values.
///
/// Names: those of the step's results (`enc.AS_F`, `classifier.AU`, `flow3`, `fusion`, …) and
/// `cap.<module path>#<call>` for a module's output.
public typealias Trace = (_ name: String, _ shape: [Int], _ values: [Float]) -> Void

/// A trace that may be off; names and values are then never made.
struct Recorder {
  let trace: Trace?

  var isOn: Bool { trace != nil }

  /// One image of a map, `[1][C][H][W]`.
  func record(_ name: @autoclosure () -> String, _ map: FeatureMap, image: Int = 0) {
    guard let trace else { return }
    trace(name(), [1, map.channels, map.height, map.width], map.values(image: image))
  }

  /// The first images of several maps as one tensor, `[1][ΣC][H][W]`.
  func record(_ name: @autoclosure () -> String, _ maps: [FeatureMap]) {
    guard let trace, let first = maps.first else { return }
    let channels = maps.reduce(0) { $0 + $1.channels }
    trace(name(), [1, channels, first.height, first.width], maps.flatMap { $0.values() })
  }

  /// Every image of a map as the call of that number of a module.
  func calls(_ module: @autoclosure () -> String, _ map: FeatureMap) {
    guard isOn else { return }
    for image in 0..<map.images { record("cap.\(module())#\(image)", map, image: image) }
  }

  /// Rows, `[1][T][E]`.
  func record(_ name: @autoclosure () -> String, _ tokens: Tokens) {
    guard let trace else { return }
    trace(name(), [1, tokens.rows, tokens.columns], tokens.values)
  }

  /// Equally long sequences, each the call of that number of a module.
  func calls(_ module: @autoclosure () -> String, _ tokens: Tokens, sequences: Int) {
    guard isOn else { return }
    let length = tokens.rows / sequences
    for sequence in 0..<sequences {
      record("cap.\(module())#\(sequence)", tokens[sequence * length..<(sequence + 1) * length])
    }
  }

  /// A row of numbers, `[1][n]`.
  func row(_ name: @autoclosure () -> String, _ tokens: Tokens) {
    guard let trace else { return }
    trace(name(), [1, tokens.columns], tokens.values)
  }
}
