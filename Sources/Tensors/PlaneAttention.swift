// Multi-Dconv transposed attention on channels that one 1×1 makes of a single plane: its q, k and v are never computed.

internal import CKernels

/// y = mlp(x) + MDTA(normalised mlp(x)) for x of one channel.
///
/// Every channel is a multiple of the plane, so q, k and v are 3×3 filters of it, their Gram matrix follows from the second
/// moments of the plane's 3×3 neighbourhoods (accumulated in double), and the result is one 3×3 convolution.
public struct PlaneAttention: Sendable {
  private let channels: Int
  /// Scale and shift of the 1×1, weights, bias and border of q, k and v, weights and bias of conv4, one after the other.
  private let values: [Float]

  /// mlp: 1×1, 1 → C. queryKeyValue: conv1, conv2 and conv3 composed, C → 3C. output: conv4, C → C.
  ///
  /// Nil where the kernel has no room for so many channels.
  public init?(
    mlp: ConvolutionParameters, queryKeyValue: ConvolutionParameters, output: ConvolutionParameters
  ) {
    channels = mlp.outputs
    guard mlp.inputs == 1, channels <= Int(FK_PLANE_CHANNELS), let border = queryKeyValue.border else {
      return nil
    }
    precondition(
      queryKeyValue.inputs == channels && queryKeyValue.outputs == 3 * channels && queryKeyValue.taps == 9,
      "3×3, C → 3C")
    precondition(output.inputs == channels && output.outputs == channels && output.taps == 1, "1×1, C → C")
    values = [
      mlp.weights, mlp.bias, queryKeyValue.weights, queryKeyValue.bias, border, output.weights, output.bias,
    ].flatMap { $0 }
  }

  /// x: B × 1 × H × W; y: B × C × H × W, written.
  public func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workspace: Workspace) {
    precondition(x.channels == 1 && y.channels == channels, "one channel becomes C")
    precondition(x.images == y.images && x.height == y.height && x.width == y.width, "maps of one size")
    workspace.scope {
      let centred = workspace.map(channels: 1, height: x.height, width: x.width)
      withParameters { attention in
        withUnsafePointer(to: (x.view, centred.view, y.view)) { maps in
          let x = pointer(to: maps, \.0), centred = pointer(to: maps, \.1), y = pointer(to: maps, \.2)
          for image in 0..<x.pointee.images { fk_attend_plane(x, image, centred, y, attention) }
        }
      }
    }
  }

  private func withParameters(_ body: (UnsafePointer<fk_plane_attention>) -> Void) {
    values.withUnsafeBufferPointer { values in
      guard var next = values.baseAddress else { return }
      let c = channels
      func take(_ count: Int) -> UnsafePointer<Float> {
        defer { next += count }
        return next
      }
      var attention = fk_plane_attention(
        channels: Int32(c), scale: take(c), shift: take(c), weights: take(3 * c * c * 9), bias: take(3 * c),
        border: take(3 * c * 16), output: take(c * c), output_bias: take(c))
      body(&attention)
    }
  }
}
