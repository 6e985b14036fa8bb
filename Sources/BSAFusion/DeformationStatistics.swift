// How strong a flow is and whether it folds – judged by the caller, not here.

internal import Imaging

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
    var sum = 0.0, longest = 0.0, smallest = Double.infinity, folded = 0, count = 0
    for row in 0..<rows {
      for column in 0..<columns where mask?[row * columns + column] ?? true {
        let x = Double(flow.dx[column, row]), y = Double(flow.dy[column, row])
        let length = (x * x + y * y).squareRoot(), determinant = Self.jacobian(flow, column, row)
        sum += length
        longest = max(longest, length)
        smallest = min(smallest, determinant)
        folded += determinant <= 0 ? 1 : 0
        count += 1
      }
    }
    pixels = count
    meanPixels = count > 0 ? sum / Double(count) : 0
    maxPixels = longest
    foldedFraction = count > 0 ? Double(folded) / Double(count) : 0
    minJacobian = count > 0 ? smallest : 1
  }

  /// det of ∂(x + dx, y + dy)/∂(x, y).
  static func jacobian(_ flow: Flow, _ column: Int, _ row: Int) -> Double {
    let left = max(column - 1, 0), right = min(column + 1, flow.dx.columns - 1)
    let up = max(row - 1, 0), down = min(row + 1, flow.dx.rows - 1)
    func slope(_ plane: Plane, _ a: (Int, Int), _ b: (Int, Int), _ distance: Int) -> Double {
      distance > 0 ? Double(plane[b.0, b.1] - plane[a.0, a.1]) / Double(distance) : 0
    }
    let xx = 1 + slope(flow.dx, (left, row), (right, row), right - left)
    let xy = slope(flow.dx, (column, up), (column, down), down - up)
    let yx = slope(flow.dy, (left, row), (right, row), right - left)
    let yy = 1 + slope(flow.dy, (column, up), (column, down), down - up)
    return xx * yy - xy * yx
  }
}
