// How strong a flow is and whether it folds – judged by the caller, not here.

internal import Imaging
internal import Tensors

/// Numbers that describe a deformation, over all pixels or over those of a mask.
public struct DeformationStatistics: Sendable, Hashable, Codable {
  /// Mean and greatest length of the displacement, pixels.
  public let meanPixels: Double
  public let maxPixels: Double
  /// Share of pixels at which the mapping (x + dx, y + dy) does not keep orientation: Jacobian determinant ≤ 0.
  public let foldedFraction: Double
  /// Smallest Jacobian determinant (1 = area kept).
  public let minJacobian: Double
  /// Number of pixels looked at; 0 leaves all numbers at their neutral value.
  public let pixels: Int

  /// Derivatives are central differences, one-sided at the border.
  public init(flow: Flow, mask: [Bool]? = nil) {
    let columns = flow.dx.columns, rows = flow.dx.rows
    precondition(mask.map { $0.count == columns * rows } ?? true, "one mask value per pixel")
    let found = FlowNumbers(dx: flow.dx.pixels, dy: flow.dy.pixels, columns: columns, rows: rows, mask: mask)
    let count = Double(found.count)
    pixels = found.count
    meanPixels = found.count > 0 ? found.lengths / count : 0
    maxPixels = found.longestSquared.squareRoot()
    foldedFraction = found.count > 0 ? Double(found.folded) / count : 0
    minJacobian = found.count > 0 ? found.smallest : 1
  }
}
