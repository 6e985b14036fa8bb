// Image Orientation (Patient) as directions that can be calculated with, or a refusal.

internal import Imaging

/// The two in-plane directions of an image, made exactly perpendicular and of unit length.
struct PlaneDirections {
  /// How far the direction cosines may be from unit length and from perpendicular. Scanners write them with six
  /// decimals or so; 10⁻³ is a twentieth of a degree.
  static let tolerance = 1e-3

  let row: SIMD3<Double>
  let column: SIMD3<Double>
  var normal: SIMD3<Double> { cross(row, column) }

  /// Throws `invalid_attribute` when `orientation` is not two perpendicular unit vectors.
  init(_ orientation: [Double], subject: String) throws(DICOMError) {
    let invalid = DICOMError(
      .invalidAttribute, subject: subject,
      detail: "Image Orientation (Patient) is not two perpendicular unit vectors")
    guard orientation.count == 6 else { throw invalid }
    let row = SIMD3(orientation[0], orientation[1], orientation[2])
    let column = SIMD3(orientation[3], orientation[4], orientation[5])
    guard abs(dot(row, row).squareRoot() - 1) <= Self.tolerance,
      abs(dot(column, column).squareRoot() - 1) <= Self.tolerance, abs(dot(row, column)) <= Self.tolerance
    else { throw invalid }
    self.row = row / dot(row, row).squareRoot()
    let upright = column - dot(column, self.row) * self.row
    self.column = upright / dot(upright, upright).squareRoot()
  }
}
