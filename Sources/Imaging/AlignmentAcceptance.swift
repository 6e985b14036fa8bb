// Do no harm: whether a predicted deformation may be used for a slice. Numbers in, decision out.

/// Accepts a deformation that does not fold and does not make the pair less alike.
public struct AlignmentAcceptance: Sendable, Hashable {
  public enum Reason: String, Sendable, Codable {
    /// The deformation folds over more of the slice than allowed.
    case folding = "folding"
    /// The two images share less information after the deformation than before.
    case similarityFell = "similarity_fell"
    /// The moving image does not cover the slice at all.
    case noOverlap = "no_moving_data"
  }

  public struct Decision: Sendable, Hashable {
    public let accepted: Bool
    public let reason: Reason?
    /// Mutual information of fixed and moving image, without and with the deformation, bits.
    public let before: Double
    public let after: Double
  }

  /// Histogram bins an axis: enough for tissue classes, few enough to be filled by one slice.
  static let bins = 64

  /// Largest accepted fraction (0…1) of pixels whose Jacobian determinant is not positive.
  public let maximumFolding: Double

  public init(maximumFolding: Double) { self.maximumFolding = maximumFolding }

  /// - Parameters:
  ///   - fixed, moving, aligned: planes of one size, 0…1; `aligned` is `moving` after the deformation.
  ///   - inside: row-major, where the moving image has data.
  ///   - folding: fraction of pixels that fold, 0…1.
  public func judge(fixed: Plane, moving: Plane, aligned: Plane, inside: [Bool], folding: Double) -> Decision
  {
    guard inside.contains(true) else {
      return Decision(accepted: false, reason: .noOverlap, before: 0, after: 0)
    }
    let before = Similarity.mutualInformation(fixed, moving, bins: Self.bins, mask: inside)
    let after = Similarity.mutualInformation(fixed, aligned, bins: Self.bins, mask: inside)
    let reason: Reason? = folding > maximumFolding ? .folding : after < before ? .similarityFell : nil
    return Decision(accepted: reason == nil, reason: reason, before: before, after: after)
  }
}
