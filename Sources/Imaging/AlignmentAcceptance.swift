// Do no harm: whether a predicted deformation may be used for a slice. Numbers in, decision out.

internal import CKernels

/// Accepts a deformation that does not fold and does not make the pair less alike.
///
/// Alike is mutual information of 32 × 32 bins after a Gaussian of 1 pixel, over the moving volume's field of view.
/// Smoothing and coarse bins matter: warping itself smooths the moving image, and with 256 bins mutual information
/// rises by that alone, so that about half of all wrong fields would pass. docs/alignment-acceptance.md has the
/// measurements.
public struct AlignmentAcceptance: Sendable, Hashable {
  /// Why a deformation was not used.
  public enum Reason: String, Sendable, Codable {
    /// The deformation folds over more of the slice than allowed.
    case folding = "folding"
    /// The two images share less information after the deformation than before.
    case similarityFell = "similarity_fell"
    /// The moving image covers too little of the slice to judge.
    case noOverlap = "no_moving_data"
    /// One of the images is constant where the moving image has data.
    case noContrast = "no_contrast"
    /// The deformed image or the folding number is not a number.
    case notFinite = "not_finite"
  }

  public struct Decision: Sendable, Hashable {
    public let accepted: Bool
    public let reason: Reason?
    /// Mutual information of fixed and moving image, without and with the deformation, bits; 0 where it was not
    /// judged.
    public let before: Double
    public let after: Double
  }

  /// Histogram bins an axis: enough for tissue classes, few enough to be filled by one slice.
  static let bins = 32
  /// Standard deviation of the Gaussian before the comparison, pixels.
  static let smoothing = 1.0
  /// Share of the slice with moving data below which nothing is judged.
  static let leastOverlap = 0.01

  /// Largest accepted fraction (0…1) of pixels whose Jacobian determinant is not positive.
  public let maximumFolding: Double

  public init(maximumFolding: Double) { self.maximumFolding = maximumFolding }

  /// What of a judgement is the same for every deformation of a pair.
  public struct Baseline: Sendable {
    /// Row-major, where the moving image has data; whether that is enough to judge.
    fileprivate let inside: [Bool]
    fileprivate let isCovered: Bool
    /// The fixed image after the Gaussian, and what it shares with the moving one without a deformation.
    fileprivate let reference: Plane
    fileprivate let before: Similarity.Entropies

    /// - Parameters:
    ///   - fixed, moving: planes of one size, 0…1.
    ///   - inside: row-major, where the moving image has data.
    public init(fixed: Plane, moving: Plane, inside: [Bool]) {
      let covered = inside.reduce(0) { $0 + ($1 ? 1 : 0) }
      self.inside = inside
      isCovered = covered > 0 && Double(covered) >= leastOverlap * Double(inside.count)
      reference = smoothed(fixed)
      before = Similarity.entropies(reference, smoothed(moving), bins: bins, mask: inside)
    }
  }

  /// - Parameters:
  ///   - aligned: the moving image after the deformation, 0…1.
  ///   - folding: fraction of pixels that fold, 0…1.
  public func judge(_ pair: Baseline, aligned: Plane, folding: Double) -> Decision {
    guard pair.isCovered else {
      return Decision(accepted: false, reason: .noOverlap, before: 0, after: 0)
    }
    guard folding.isFinite, !aligned.hasGaps else {
      return Decision(accepted: false, reason: .notFinite, before: 0, after: 0)
    }
    let before = pair.before
    let after = Similarity.entropies(
      pair.reference, Self.smoothed(aligned), bins: Self.bins, mask: pair.inside)
    let reason: Reason? =
      if folding > maximumFolding {
        .folding
      } else if min(before.first, before.second, after.second) == 0 {
        .noContrast
      } else {
        after.mutual < before.mutual ? .similarityFell : nil
      }
    return Decision(accepted: reason == nil, reason: reason, before: before.mutual, after: after.mutual)
  }

  private static func smoothed(_ plane: Plane) -> Plane {
    let isa = fk_best_isa()
    var result = plane
    SmoothingTable(count: plane.columns, sigma: smoothing).apply(
      to: &result.pixels, fk_lines(outer: Int64(plane.rows), length: Int64(plane.columns), inner: 1), isa: isa
    )
    SmoothingTable(count: plane.rows, sigma: smoothing).apply(
      to: &result.pixels, fk_lines(outer: 1, length: Int64(plane.rows), inner: Int64(plane.columns)), isa: isa
    )
    return result
  }
}

extension Plane {
  /// Whether any pixel is NaN or infinite.
  var hasGaps: Bool {
    pixels.withUnsafeBufferPointer { values in
      values.baseAddress.map { !fk_all_finite($0, values.count) } ?? false
    }
  }
}
