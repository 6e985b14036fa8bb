// The ViT block: attention and MLP, each on the same layer norm of the tokens and added to them.

internal import Tensors

/// t ← t + attention(norm(t)); t ← t + mlp(norm(t)). One norm (`norm_layer2`) serves both, as the weights expect. What is idle
/// is nil and left out.
struct TransformerBlock: Sendable {
  static let heads = 4

  let name: String
  private let norm: LayerNormalization
  private let queryKeyValue: Linear?
  private let attention = MultiHeadAttention(heads: heads, headSize: ParameterTable.hidden / heads)
  private let projection: Linear?
  private let first: Linear?
  private let second: Linear?

  init(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    let e = ParameterTable.hidden
    self.name = name
    norm = try reader.layerNormalization("\(name).norm_layer2")
    let attends = try !reader.isIdle(linear: "\(name).attention.out_proj", e, e)
    let feeds = try !reader.isIdle(linear: "\(name).mlp.linear2", e, e)
    queryKeyValue = attends ? try reader.linear("\(name).attention.qkv", e, 3 * e, bias: false) : nil
    projection = attends ? try reader.linear("\(name).attention.out_proj", e, e) : nil
    first = feeds ? try reader.linear("\(name).mlp.linear1", e, e) : nil
    second = feeds ? try reader.linear("\(name).mlp.linear2", e, e) : nil
  }

  /// Equally long sequences of tokens `[sequence · T][E]`, changed in place.
  func callAsFunction(_ t: Tokens, sequences: Int, workspace: Workspace, recorder: Recorder) {
    workspace.scope {
      let normalized = workspace.tokens(rows: t.rows, columns: t.columns)
      let result = workspace.tokens(rows: t.rows, columns: t.columns)
      if let queryKeyValue, let projection {
        norm(t, into: normalized)
        recordNorm(normalized, half: 0, sequences, recorder)
        attend(normalized, queryKeyValue, into: result, sequences, workspace, recorder)
        projection(result, into: t, accumulating: true)
        if recorder.isOn {
          recordSum(projection, result, ["attention", "attention.out_proj"], sequences, workspace, recorder)
        }
      }
      if let first, let second {
        norm(t, into: normalized)
        recordNorm(normalized, half: 1, sequences, recorder)
        first(normalized, into: result)
        recorder.calls("\(name).mlp.linear1", result, sequences: sequences)
        result.gelu()
        second(result, into: t, accumulating: true)
        if recorder.isOn { recordSum(second, result, ["mlp"], sequences, workspace, recorder) }
      }
      recorder.calls(name, t, sequences: sequences)
    }
  }

  private func attend(
    _ u: Tokens, _ queryKeyValue: Linear, into y: Tokens, _ sequences: Int, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    workspace.scope {
      let qkv = workspace.tokens(rows: u.rows, columns: queryKeyValue.outputs)
      queryKeyValue(u, into: qkv)
      recorder.calls("\(name).attention.qkv", qkv, sequences: sequences)
      let length = u.rows / sequences
      for sequence in 0..<sequences {
        let rows = sequence * length..<(sequence + 1) * length
        attention(qkv[rows], into: y[rows], workspace: workspace)
      }
    }
  }

  /// A layer's own output, which the pass only ever adds to the tokens.
  private func recordSum(
    _ layer: Linear, _ x: Tokens, _ modules: [String], _ sequences: Int, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    workspace.scope {
      let y = workspace.tokens(rows: x.rows, columns: layer.outputs)
      layer(x, into: y)
      for module in modules { recorder.calls("\(name).\(module)", y, sequences: sequences) }
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
