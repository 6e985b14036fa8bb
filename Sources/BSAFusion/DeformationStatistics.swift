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
    flow.dx.pixels.withUnsafeBufferPointer { dx in
      flow.dy.pixels.withUnsafeBufferPointer { dy in
        for row in 0..<rows {
          for column in 0..<columns where mask?[row * columns + column] ?? true {
            let at = row * columns + column, x = Double(dx[at]), y = Double(dy[at])
            let determinant = Self.jacobian(dx, dy, columns: columns, rows: rows, column: column, row: row)
            sum += (x * x + y * y).squareRoot()
            longest = max(longest, x * x + y * y)
            smallest = min(smallest, determinant)
            folded += determinant <= 0 ? 1 : 0
            count += 1
          }
        }
      }
    }
    pixels = count
    meanPixels = count > 0 ? sum / Double(count) : 0
    maxPixels = longest.squareRoot()
    foldedFraction = count > 0 ? Double(folded) / Double(count) : 0
    minJacobian = count > 0 ? smallest : 1
  }

  /// det of ∂(x + dx, y + dy)/∂(x, y).
  @inline(__always)
  private static func jacobian(
    _ dx: UnsafeBufferPointer<Float>, _ dy: UnsafeBufferPointer<Float>, columns: Int, rows: Int, column: Int,
    row: Int
  ) -> Double {
    let at = row * columns + column
    let left = column > 0 ? 1 : 0, right = column < columns - 1 ? 1 : 0
    let up = row > 0 ? columns : 0, down = row < rows - 1 ? columns : 0
    // One pixel wide or high: the difference is zero, whatever it is divided by.
    let across = 1 / Double(max(left + right, 1)), along = 1 / Double(max((up + down) / columns, 1))
    let xx = 1 + Double(dx[at + right] - dx[at - left]) * across
    let xy = Double(dx[at + down] - dx[at - up]) * along
    let yx = Double(dy[at + right] - dy[at - left]) * across
    let yy = 1 + Double(dy[at + down] - dy[at - up]) * along
    return xx * yy - xy * yx
  }
}
