// Rows of features in a workspace and the transformer's operations on them.

internal import CKernels

/// `rows × columns` Floats, row-major, in a workspace. A view, valid until its scope ends.
public struct Tokens {
  public let start: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int

  /// Some of the rows.
  public subscript(range: Range<Int>) -> Tokens {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tokens(start: start + range.lowerBound * columns, rows: range.count, columns: columns)
  }

  public var values: [Float] { Array(UnsafeBufferPointer(start: start, count: rows * columns)) }

  public func copy(_ other: Tokens) {
    precondition(rows == other.rows && columns == other.columns, "tokens of one shape")
    start.update(from: other.start, count: rows * columns)
  }

  /// Fills all rows from plain values.
  public func fill(_ values: [Float]) {
    precondition(values.count == rows * columns, "values fill the rows exactly")
    values.withUnsafeBufferPointer { buffer in
      if let from = buffer.baseAddress { start.update(from: from, count: values.count) }
    }
  }

  /// Adds one row to every row.
  public func add(row: Tokens) {
    precondition(row.rows == 1 && row.columns == columns, "one row of the same width")
    fk_add_bias(start, row.start, rows, columns)
  }

  /// GELU in its exact (erf) form, in place.
  public func gelu() { fk_gelu(start, rows * columns) }

  /// The 16×16 patches of an image, one per row, values `[C][16][16]`.
  public func fillPatches(of map: FeatureMap, image: Int) {
    precondition(rows * 256 == map.height * map.width && columns == map.channels * 256, "one row per patch")
    withUnsafePointer(to: map.view) { fk_patches($0, Int32(image), start) }
  }
}

/// y = x · weightᵀ + bias; weight `[outputs][inputs]`.
public struct Linear: Sendable {
  public let inputs: Int
  public let outputs: Int
  /// In panels (see `fk_pack_panels`).
  private let weight: KeptWeights
  /// Filled up to whole panels.
  private let bias: [Float]?

  public init(_ p: LinearParameters) {
    inputs = p.inputs
    outputs = p.outputs
    let width = Int(FK_PANEL), padded = (p.outputs + width - 1) / width * width
    weight =
      KeptWeights(halves: [p.weight], size: p.inputs, run: width)
      ?? KeptWeights(Self.packed(p, padded: padded), compact: true)
    bias = p.bias.map { $0 + [Float](repeating: 0, count: padded - p.outputs) }
  }

  private static func packed(_ p: LinearParameters, padded: Int) -> [Float] {
    let weight = p.weight.floats
    return [Float](unsafeUninitializedCapacity: padded * p.inputs) { packed, initialized in
      if let start = packed.baseAddress { fk_pack_panels(weight, p.outputs, p.inputs, start) }
      initialized = padded * p.inputs
    }
  }

  /// With `accumulating`, the result is added to what y holds.
  public func callAsFunction(_ x: Tokens, into y: Tokens, accumulating: Bool = false) {
    precondition(
      x.columns == inputs && y.columns == outputs && x.rows == y.rows, "rows through \(inputs)→\(outputs)")
    weight.withPointers { weight, halves in
      var task = fk_product_task(
        rows: x.rows, inputs: inputs, columns: outputs, x: x.start, x_stride: inputs, w: weight,
        w_stride: Int(FK_PANEL), panel_stride: inputs * Int(FK_PANEL), bias: nil, y: y.start,
        y_stride: outputs, accumulating: accumulating, halves: halves)
      guard let bias else { return fk_product(&task) }
      bias.withUnsafeBufferPointer {
        task.bias = $0.baseAddress
        fk_product(&task)
      }
    }
  }
}

/// Rows to mean 0 and variance 1 (eps 1e-5), then scaled and shifted per column.
public struct LayerNormalization: Sendable {
  private let weight: [Float]
  private let bias: [Float]

  public init(weight: [Float], bias: [Float]) {
    precondition(weight.count == bias.count, "one weight and one bias per column")
    self.weight = weight
    self.bias = bias
  }

  public func callAsFunction(_ x: Tokens, into y: Tokens) {
    precondition(x.columns == weight.count && x.rows == y.rows && x.columns == y.columns, "rows of one width")
    fk_layer_norm(x.start, weight, bias, y.start, x.rows, x.columns)
  }
}

/// Scaled dot-product attention of one sequence.
public struct MultiHeadAttention: Sendable {
  public let heads: Int
  /// Dimensions of a head's queries and keys, and of its values.
  public let keySize: Int
  public let valueSize: Int
  /// What scores are multiplied by before the softmax.
  private let scale: Float

  public init(heads: Int, keySize: Int, valueSize: Int, scale: Float) {
    (self.heads, self.keySize, self.valueSize, self.scale) = (heads, keySize, valueSize, scale)
  }

  /// Width of a row of q, k and v, and of a result.
  public var inputs: Int { heads * (2 * keySize + valueSize) }
  public var outputs: Int { heads * valueSize }

  /// qkv: rows of `[q][head][d]`, `[k][head][d]`, `[v][head][d]`; y: rows of `[head][d]`.
  public func callAsFunction(_ qkv: Tokens, into y: Tokens, workspace: Workspace) {
    let rows = qkv.rows
    precondition(qkv.columns == inputs && y.columns == outputs && y.rows == rows, "q, k and v of every head")
    workspace.scope {
      // Whole vectors of the widest instruction set.
      let padded = (rows + 15) / 16 * 16
      let scores = workspace.floats(rows * padded), keys = workspace.floats(keySize * padded)
      for head in 0..<heads {
        let q = qkv.start + head * keySize, k = q + heads * keySize
        let v = qkv.start + 2 * heads * keySize + head * valueSize
        fk_transpose(k, rows, keySize, inputs, keys, padded)
        var task = fk_product_task(
          rows: rows, inputs: keySize, columns: rows, x: q, x_stride: inputs, w: keys, w_stride: padded,
          panel_stride: Int(FK_PANEL), bias: nil, y: scores, y_stride: padded, accumulating: false,
          halves: nil)
        fk_product(&task)
        fk_softmax_rows(scores, rows, rows, padded, scale)
        task = fk_product_task(
          rows: rows, inputs: rows, columns: valueSize, x: scores, x_stride: padded, w: v, w_stride: inputs,
          panel_stride: Int(FK_PANEL), bias: nil, y: y.start + head * valueSize, y_stride: outputs,
          accumulating: false, halves: nil)
        fk_product(&task)
      }
    }
  }
}
