// Attention between tokens: queries, keys and values of four heads, and the projection of what they find.

internal import Tensors

/// t ← t + attention(u). Dimensions of a head that never matter are left out: those of queries and keys where one of the two
/// is zero for every token, those of values that are zero or that the projection does not read.
struct TokenAttention: Sendable {
  static let heads = 4

  private let name: String
  private let queryKeyValue: Linear
  private let heads: MultiHeadAttention
  private let projection: Linear

  /// Nil where the projection makes zeros of everything.
  init?(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    let e = ParameterTable.hidden, size = e / Self.heads
    if try reader.isIdle(linear: "\(name).out_proj", e, e) { return nil }
    self.name = name
    let all = try reader.linearParameters("\(name).qkv", e, 3 * e, bias: false)
    let closing = try reader.linearParameters("\(name).out_proj", e, e)
    let scores = (0..<Self.heads).map { head in
      (head * size..<(head + 1) * size).filter {
        reader.keepsIdle || all.writes($0) && all.writes(e + $0)
      }
    }
    let values = (0..<Self.heads).map { head in
      (head * size..<(head + 1) * size).filter {
        reader.keepsIdle || all.writes(2 * e + $0) && closing.reads($0)
      }
    }
    // All heads alike in size, one dimension at least: the missing ones are zeros.
    let keySize = scores.map(\.count).reduce(1, max), valueSize = values.map(\.count).reduce(1, max)
    func filled(_ dimensions: [[Int]], _ size: Int) -> [Int?] {
      dimensions.flatMap { $0 + [Int?](repeating: nil, count: size - $0.count) }
    }
    let queries = filled(scores, keySize), read = filled(values, valueSize)
    queryKeyValue = Linear(
      all.selecting(outputs: queries + queries.map { $0.map { e + $0 } } + read.map { $0.map { 2 * e + $0 } })
    )
    projection = Linear(closing.selecting(inputs: read))
    heads = MultiHeadAttention(
      heads: Self.heads, keySize: keySize, valueSize: valueSize, scale: 1 / Float(size).squareRoot())
  }

  /// u: equally long sequences of normalised tokens `[sequence · T][E]`; t: the tokens, changed in place.
  func callAsFunction(
    _ u: Tokens, into t: Tokens, sequences: Int, workspace: Workspace, recorder: Recorder
  ) {
    workspace.scope {
      let found = workspace.tokens(rows: u.rows, columns: heads.outputs)
      workspace.scope {
        let qkv = workspace.tokens(rows: u.rows, columns: heads.inputs)
        queryKeyValue(u, into: qkv)
        recorder.calls("\(name).qkv", qkv, sequences: sequences)
        let length = u.rows / sequences
        for sequence in 0..<sequences {
          let rows = sequence * length..<(sequence + 1) * length
          heads(qkv[rows], into: found[rows], workspace: workspace)
        }
      }
      projection(found, into: t, accumulating: true)
      recorder.sum(projection, found, [name, "\(name).out_proj"], sequences: sequences, workspace: workspace)
    }
  }
}

extension Recorder {
  /// A layer's own output, which the pass only ever adds to the tokens.
  func sum(_ layer: Linear, _ x: Tokens, _ modules: [String], sequences: Int, workspace: Workspace) {
    guard isOn else { return }
    workspace.scope {
      let y = workspace.tokens(rows: x.rows, columns: layer.outputs)
      layer(x, into: y)
      for module in modules { calls(module, y, sequences: sequences) }
    }
  }
}
