// A convolution's weights in the order of the kernels, and which kernel serves it.

internal import CKernels

struct PackedFilter: Sendable {
  private let taps: Int
  /// Side of Winograd's tiles, 0 for a direct filter.
  let tile: Int
  let inputs: Int
  let outputs: Int
  private let weights: KeptWeights
  private let bias: [Float]
  let border: [Float]?

  init(direct p: ConvolutionParameters) {
    (taps, inputs, outputs, bias, border) = (p.taps, p.inputs, p.outputs, p.bias, p.border)
    tile = 0
    weights = KeptWeights(Self.packed(p), compact: false)
  }

  /// A 3×3 by Winograd. `compact` keeps the weights in half precision where that loses nothing.
  init(winograd p: ConvolutionParameters, tile: Int, compact: Bool) {
    precondition(p.taps == 9, "Winograd's form is that of a 3×3")
    let missing = (8 - p.outputs % 8) % 8
    (taps, inputs, outputs, border) = ((tile + 2) * (tile + 2), p.inputs, p.outputs, p.border)
    self.tile = tile
    bias = p.bias + [Float](repeating: 0, count: missing)
    let size = p.inputs * p.taps
    if compact, let weights = KeptWeights(halves: p.values, size: size, run: 8) {
      self.weights = weights
      return
    }
    let whole =
      missing == 0
      ? p
      : ConvolutionParameters(
        outputs: p.outputs + missing, inputs: p.inputs, taps: 9,
        weights: p.weights + [Float](repeating: 0, count: missing * size), bias: bias)
    weights = KeptWeights(Self.packed(whole), compact: compact)
  }

  private static func packed(_ p: ConvolutionParameters) -> [Float] {
    let weights = p.weights
    return [Float](unsafeUninitializedCapacity: weights.count) { packed, initialized in
      if let start = packed.baseAddress {
        fk_pack(weights, Int32(p.outputs), Int32(p.inputs), Int32(p.taps), start)
      }
      initialized = weights.count
    }
  }

  /// Side of the tiles that serve a convolution best, nil where the transforms cost more than the products saved.
  ///
  /// Tiles of 4 save most products but quadruple the weights; very many channels take tiles of 2.
  static func winogradTile(_ p: ConvolutionParameters) -> Int? {
    guard p.taps == 9, p.inputs >= 8, p.outputs >= 8 else { return nil }
    return p.inputs >= 256 ? 2 : 4
  }

  /// The filter for its kernel; `directly` for the direct 3×3 of weights in single precision and whole runs of eight, whose
  /// order is the same.
  func withFilter(directly: Bool = false, _ body: (UnsafePointer<fk_filter>) -> Void) {
    weights.withPointers { weights, halves in
      bias.withUnsafeBufferPointer { bias in
        precondition(!directly || (halves == nil && outputs % 8 == 0), "weights in the direct kernel's order")
        guard let bias = bias.baseAddress else { return }
        var filter = fk_filter(
          taps: Int32(directly ? 9 : taps), inputs: Int32(inputs), outputs: Int32(outputs), weights: weights,
          bias: bias, border: nil, halves: halves)
        guard let border else { return body(&filter) }
        border.withUnsafeBufferPointer {
          filter.border = $0.baseAddress
          body(&filter)
        }
      }
    }
  }
}

/// Weights as they are kept between passes: in half precision where every one of them is exact there.
///
/// Models are stored in half precision, so this halves the memory of all layers that folding leaves as they are.
struct KeptWeights: Sendable {
  /// Values that kernels may read beyond the last one.
  private static let slack = 8

  private let values: [Float]
  private let halves: [UInt16]

  init(_ values: [Float], compact: Bool) {
    var exact = false
    halves =
      compact
      ? [UInt16](unsafeUninitializedCapacity: values.count + Self.slack) { buffer, initialized in
        guard let start = buffer.baseAddress else { return }
        exact = fk_exact_halves(values, values.count, start)
        if exact { (start + values.count).initialize(repeating: 0, count: Self.slack) }
        initialized = exact ? values.count + Self.slack : 0
      } : []
    self.values = exact ? [] : values
  }

  /// `pieces`, each `[outputs][size]`, in runs of so many outputs (see `fk_pack_halves`), as they lie in the file in half
  /// precision. Nil where they do not, or where a piece but the last has no whole runs.
  init?(halves pieces: [TensorValues], size: Int, run: Int) {
    let halves = pieces.compactMap(\.halves)
    guard halves.count == pieces.count, halves.dropLast().allSatisfy({ $0.count.isMultiple(of: run * size) })
    else { return nil }
    let runs = halves.reduce(0) { $0 + ($1.count / size + run - 1) / run }
    values = []
    self.halves = [UInt16](unsafeUninitializedCapacity: runs * run * size + Self.slack) {
      buffer, initialized in
      guard var next = buffer.baseAddress else { return }
      for piece in halves {
        let outputs = piece.count / size
        _ = piece.withPointer { fk_pack_halves($0, outputs, size, run, next) }
        next += (outputs + run - 1) / run * run * size
      }
      next.initialize(repeating: 0, count: Self.slack)
      initialized = runs * run * size + Self.slack
    }
  }

  /// One of the two is null.
  func withPointers(_ body: (UnsafePointer<Float>?, UnsafePointer<UInt16>?) -> Void) {
    values.withUnsafeBufferPointer { values in
      halves.withUnsafeBufferPointer { halves in
        body(
          values.isEmpty ? nil : values.baseAddress, values.isEmpty ? halves.baseAddress : nil)
      }
    }
  }
}
