// The ViT block: attention and MLP, each on the same layer norm of the tokens and added to them.

internal import Tensors

/// t ← t + attention(norm(t)); t ← t + mlp(norm(t)). One norm (`norm_layer2`) serves both, as the weights expect. What is idle
/// is nil and left out.
struct TransformerBlock: Sendable {
  let name: String
  private let norm: LayerNormalization
  private let attention: TokenAttention?
  private let first: Linear?
  private let second: Linear?

  init(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    let e = ParameterTable.hidden
    self.name = name
    norm = try reader.layerNormalization("\(name).norm_layer2")
    attention = try TokenAttention("\(name).attention", from: reader)
    if try reader.isIdle(linear: "\(name).mlp.linear2", e, e) {
      (first, second) = (nil, nil)
    } else {
      let opening = try reader.linearParameters("\(name).mlp.linear1", e, e)
      let closing = try reader.linearParameters("\(name).mlp.linear2", e, e)
      // GELU(0) = 0: a unit that gets nothing or that nobody reads adds nothing.
      let units = (0..<e).filter { reader.keepsIdle || opening.writes($0) && closing.reads($0) }
      let kept: [Int?] = units.isEmpty ? [nil] : units
      first = Linear(opening.selecting(outputs: kept))
      second = Linear(closing.selecting(inputs: kept))
    }
  }

  /// Equally long sequences of tokens `[sequence · T][E]`, changed in place.
  func callAsFunction(_ t: Tokens, sequences: Int, workspace: Workspace, recorder: Recorder) {
    workspace.scope {
      let normalized = workspace.tokens(rows: t.rows, columns: t.columns)
      if let attention {
        norm(t, into: normalized)
        recordNorm(normalized, half: 0, sequences, recorder)
        attention(normalized, into: t, sequences: sequences, workspace: workspace, recorder: recorder)
      }
      if let first, let second {
        let result = workspace.tokens(rows: t.rows, columns: first.outputs)
        norm(t, into: normalized)
        recordNorm(normalized, half: 1, sequences, recorder)
        first(normalized, into: result)
        recorder.calls("\(name).mlp.linear1", result, sequences: sequences)
        result.gelu()
        second(result, into: t, accumulating: true)
        recorder.sum(second, result, ["\(name).mlp"], sequences: sequences, workspace: workspace)
      }
      recorder.calls(name, t, sequences: sequences)
    }
  }

  /// The norm is called twice per sequence: calls 2·sequence and 2·sequence + 1.
  private func recordNorm(_ u: Tokens, half: Int, _ sequences: Int, _ recorder: Recorder) {
    guard recorder.isOn else { return }
    let length = u.rows / sequences
    for sequence in 0..<sequences {
      recorder.record(
        "cap.\(name).norm_layer2#\(2 * sequence + half)", u[sequence * length..<(sequence + 1) * length])
    }
  }
}
