// Attention between channels, folded into the 1×1 convolution after it: one C×C matrix of a pass.

internal import CKernels

/// conv4 · Pᵀ in the kernels' order; valid until the workspace's scope in which it was made ends.
public struct FoldedAttention {
  let channels: Int
  fileprivate let weights: UnsafeMutablePointer<Float>

  /// P = softmax over all C² entries of Σ_n k[a,n]·q[b,n] (accumulated in double). `output`: conv4, 1×1 C → C, plain order.
  public func fold(
    query: FeatureMap, key: FeatureMap, output: ConvolutionParameters, workspace: Workspace
  ) {
    let c = channels
    precondition(
      query.images == 1 && query.channels == c && key.hasShape(of: query), "one image of C channels")
    precondition(output.outputs == c && output.inputs == c && output.taps == 1, "C → C")
    workspace.scope {
      let logits = UnsafeMutableRawPointer(workspace.floats(2 * c * c)).bindMemory(
        to: Double.self, capacity: c * c)
      let p = workspace.floats(c * c), plain = workspace.floats(c * c)
      withUnsafePointer(to: (key.view, query.view)) {
        fk_gram(pointer(to: $0, \.0), pointer(to: $0, \.1), 0, logits)
      }
      fk_softmax_joint(logits, c * c, p)
      fk_fold_attention(p, output.weights, Int32(c), plain, weights)
    }
  }
}

extension Workspace {
  /// Room for the attention between so many channels, still to be folded.
  public func attention(channels: Int) -> FoldedAttention {
    FoldedAttention(channels: channels, weights: floats(channels * channels))
  }
}

extension FeatureMap {
  /// this = residual + conv4(Σ_a P[a,·]·v[a]), one image. `output`: the convolution that was folded.
  public func attend(
    value: FeatureMap, _ folded: FoldedAttention, output: ConvolutionParameters, adding residual: FeatureMap?
  ) {
    let c = channels
    precondition(images == 1 && folded.channels == c && value.hasShape(of: self), "one image, C → C")
    output.bias.withUnsafeBufferPointer { bias in
      guard let bias = bias.baseAddress else { return }
      var filter = fk_filter(
        taps: 1, inputs: Int32(c), outputs: Int32(c), weights: folded.weights, bias: bias, border: nil,
        halves: nil)
      withUnsafePointer(to: (value.view, view)) { maps in
        residual.withPointer {
          fk_convolve(pointer(to: maps, \.0), pointer(to: maps, \.1), &filter, fk_identity, $0)
        }
      }
    }
  }
}
