// One grey image in memory: pixels without a place in the patient.

/// A grey image of `rows × columns` Float pixels in row-major order.
public struct Plane: Sendable, Hashable {
  public let columns: Int
  public let rows: Int
  /// Row-major pixels, `pixels[row * columns + column]`.
  public var pixels: [Float]

  public init(columns: Int, rows: Int, pixels: [Float]) {
    precondition(pixels.count == columns * rows, "a plane of \(columns)×\(rows) has \(columns * rows) pixels")
    self.columns = columns
    self.rows = rows
    self.pixels = pixels
  }

  public init(columns: Int, rows: Int, repeating value: Float = 0) {
    self.init(columns: columns, rows: rows, pixels: [Float](repeating: value, count: columns * rows))
  }

  public subscript(column: Int, row: Int) -> Float {
    get { pixels[row * columns + column] }
    set { pixels[row * columns + column] = newValue }
  }
}
