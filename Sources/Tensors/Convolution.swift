// Convolution layers on bordered maps: dense 1×1 and 3×3, and the gated feed-forward made of them.

internal import CKernels

/// y = act(conv(x)) + residual; axes `[image][channel][row][column]`, zero padding that keeps H × W.
public struct Convolution: Sendable {
  public let inputs: Int
  public let outputs: Int
  let taps: Int
  private let weights: [Float]
  private let bias: [Float]
  private let border: [Float]?

  public init(_ parameters: ConvolutionParameters) {
    inputs = parameters.inputs
    outputs = parameters.outputs
    taps = parameters.taps
    bias = parameters.bias
    border = parameters.border
    var packed = [Float](repeating: 0, count: parameters.weights.count)
    fk_pack(parameters.weights, Int32(outputs), Int32(inputs), Int32(taps), &packed)
    weights = packed
  }

  public func callAsFunction(
    _ x: FeatureMap, into y: FeatureMap, activation: Activation = .identity,
    adding residual: FeatureMap? = nil
  ) {
    precondition(
      x.channels == inputs && y.channels == outputs,
      "\(x.channels)→\(y.channels) through \(inputs)→\(outputs)")
    precondition(x.images == y.images && x.height == y.height && x.width == y.width, "maps of one size")
    precondition(
      residual.map { $0.hasShape(of: y) && $0.view.stride == y.view.stride } ?? true, "residual like output")
    precondition(
      border == nil || (activation == .identity && residual == nil), "composed convolutions stay linear")
    withFilter { filter in
      withUnsafePointer(to: x.view) { x in
        withUnsafePointer(to: y.view) { y in
          if let residual {
            withUnsafePointer(to: residual.view) { fk_convolve(x, y, filter, activation.code, $0) }
          } else {
            fk_convolve(x, y, filter, activation.code, nil)
          }
        }
      }
    }
  }

  func withFilter(_ body: (UnsafePointer<fk_filter>) -> Void) {
    weights.withUnsafeBufferPointer { weights in
      bias.withUnsafeBufferPointer { bias in
        guard let weights = weights.baseAddress, let bias = bias.baseAddress else { return }
        var filter = fk_filter(
          taps: Int32(taps), inputs: Int32(inputs), outputs: Int32(outputs), weights: weights, bias: bias,
          border: nil)
        guard let border else { return body(&filter) }
        border.withUnsafeBufferPointer {
          filter.border = $0.baseAddress
          body(&filter)
        }
      }
    }
  }
}

/// y = residual + projection(GELU(g) ⊙ h) with g, h = the two 3×3 expansions of u; nothing expanded is stored.
public struct GatedFeedForward: Sendable {
  private let expansion: Convolution
  private let projection: Convolution

  /// `gate`, `value`: C → 4C, 3×3. `projection`: 4C → C, 1×1.
  public init(gate: ConvolutionParameters, value: ConvolutionParameters, projection: ConvolutionParameters) {
    precondition(gate.outputs == value.outputs && gate.outputs % 4 == 0, "two expansions of one size")
    precondition(
      projection.inputs == gate.outputs && projection.taps == 1, "the projection takes the product")
    let both = ConvolutionParameters.joined([gate, value])
    let runs = stride(from: 0, to: gate.outputs, by: 4)
    expansion = Convolution(
      both.selecting(runs.flatMap { Array($0..<$0 + 4) + Array($0 + gate.outputs..<$0 + gate.outputs + 4) }))
    self.projection = Convolution(projection)
  }

  public func callAsFunction(
    _ u: FeatureMap, into y: FeatureMap, adding residual: FeatureMap, workspace: Workspace
  ) {
    precondition(u.channels == expansion.inputs && y.channels == projection.outputs, "C channels in and out")
    precondition(y.hasShape(of: residual) && y.view.stride == residual.view.stride, "residual like output")
    workspace.scope {
      let scratch = workspace.floats(fk_gate_scratch(Int32(expansion.outputs)))
      expansion.withFilter { expansion in
        projection.withFilter { projection in
          withUnsafePointer(to: (u.view, y.view, residual.view)) { maps in
            fk_gate(
              pointer(to: maps, \.0), pointer(to: maps, \.1), expansion, projection, pointer(to: maps, \.2),
              scratch)
          }
        }
      }
    }
  }
}
