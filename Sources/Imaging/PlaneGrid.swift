// The sampling grid of one image plane in the patient's coordinates; where its pixels are, not what they hold.

/// A rectangular grid of pixel centres on a plane, in DICOM patient coordinates (LPS, mm).
///
/// Position of the pixel in column `c`, row `r` (PS3.3 C.7.6.2.1.1):
/// `origin + c · columnSpacing · rowDirection + r · rowSpacing · columnDirection`.
public struct PlaneGrid: Sendable, Hashable, Codable {
  /// Number of columns (image width, pixels).
  public var columns: Int
  /// Number of rows (image height, pixels).
  public var rows: Int
  /// Image Position (Patient): the centre of the first pixel, mm.
  public var origin: SIMD3<Double>
  /// Image Orientation (Patient) values 1–3: unit vector in which the column index grows.
  public var rowDirection: SIMD3<Double>
  /// Image Orientation (Patient) values 4–6: unit vector in which the row index grows.
  public var columnDirection: SIMD3<Double>
  /// Distance between the centres of adjacent columns, mm (second value of Pixel Spacing).
  public var columnSpacing: Double
  /// Distance between the centres of adjacent rows, mm (first value of Pixel Spacing).
  public var rowSpacing: Double

  public init(
    columns: Int, rows: Int, origin: SIMD3<Double>, rowDirection: SIMD3<Double>,
    columnDirection: SIMD3<Double>, columnSpacing: Double, rowSpacing: Double
  ) {
    self.columns = columns
    self.rows = rows
    self.origin = origin
    self.rowDirection = rowDirection
    self.columnDirection = columnDirection
    self.columnSpacing = columnSpacing
    self.rowSpacing = rowSpacing
  }

  /// Unit normal of the plane: `rowDirection × columnDirection`.
  public var normal: SIMD3<Double> { cross(rowDirection, columnDirection) }

  /// Patient position (mm) of a possibly fractional pixel index.
  public func position(column: Double, row: Double) -> SIMD3<Double> {
    origin + column * columnSpacing * rowDirection + row * rowSpacing * columnDirection
  }

  /// The square grid of `side × side` square pixels that the network works on: same plane and orientation,
  /// the field of view of this grid centred in it, its pixel the longer edge of the field of view / `side`.
  public func squareWorkingGrid(side: Int) -> PlaneGrid {
    precondition(side > 0, "a working grid has at least one pixel")
    let edge = max(Double(columns) * columnSpacing, Double(rows) * rowSpacing)
    let pixel = edge / Double(side)
    let centre = position(column: Double(columns - 1) / 2, row: Double(rows - 1) / 2)
    let half = Double(side - 1) / 2 * pixel
    return PlaneGrid(
      columns: side, rows: side, origin: centre - half * rowDirection - half * columnDirection,
      rowDirection: rowDirection, columnDirection: columnDirection, columnSpacing: pixel, rowSpacing: pixel)
  }
}

/// Scalar product, mm² for two positions.
public func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }

/// Vector product of two directions.
public func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
