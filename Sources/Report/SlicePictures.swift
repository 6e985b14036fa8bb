// The pictures of one slice and its deformation, encoded for a page; small enough for a thousand of them.

internal import BSAFusion
internal import Foundation
internal import Imaging
public import Pictures
public import Pipeline

/// What a page shows of one slice, each part in base64.
public struct SlicePictures: Sendable {
  /// Samples along each edge of the deformation a page keeps.
  static let nodes = 64
  /// libjpeg's quality: differences from the pixels are invisible at any window a page offers.
  static let quality = 90

  let fixed: String
  let moving: String
  /// Empty where it is the moving picture: no deformation was used.
  let aligned: String
  let fused: String
  /// The predicted deformation: `nodes`² mean values of dx, then of dy, each a signed byte times `fieldScale` pixels.
  let field: String
  let fieldScale: Double
  /// Size of the pictures, pixels.
  let side: Int
  /// SHA-256 the output's file would have now; empty where it was not made again.
  let sha256: String
  /// Nil where only the published picture is known.
  let grid: PlaneGrid?

  /// - Parameters:
  ///   - colour: palette of the moving series in the fused picture, nil for grey.
  ///   - lossless: PNG instead of JPEG.
  public init(_ slice: FusedSlice, sha256: String, colour: String?, lossless: Bool) throws(PictureError) {
    let table = colour.flatMap(ColourTable.named)
    func encode(_ samples: Samples) throws(PictureError) -> String {
      let bytes = lossless ? try samples.png() : try samples.jpeg(quality: Self.quality)
      return Data(bytes).base64EncodedString()
    }
    fixed = try encode(Self.samples(slice.fixed, nil))
    moving = try encode(Self.samples(slice.moving, table))
    aligned = slice.record.accepted ? try encode(Self.samples(slice.aligned, table)) : ""
    fused = try encode(Self.samples(slice.pixels, side: slice.grid.columns))
    (field, fieldScale) = Self.field(slice.predicted)
    side = slice.grid.columns
    self.sha256 = sha256
    grid = slice.grid
  }

  /// Only what was published, read from its file.
  ///
  /// - Throws: `DICOMError`, `PictureError`.
  init(published path: String, lossless: Bool) throws {
    let samples = try PublishedPicture.samples(path)
    fused = Data(lossless ? try samples.png() : try samples.jpeg(quality: Self.quality)).base64EncodedString()
    (fixed, moving, aligned, field) = ("", "", "", "")
    fieldScale = 0
    side = samples.columns
    sha256 = ""
    grid = nil
  }

  private static func samples(_ plane: Plane, _ table: ColourTable?) -> Samples {
    let grey = Colour.bytes(plane)
    guard let table else {
      return Samples(columns: plane.columns, rows: plane.rows, channels: 1, bytes: grey)
    }
    let bytes = grey.flatMap {
      [table.entries[Int($0)].x, table.entries[Int($0)].y, table.entries[Int($0)].z]
    }
    return Samples(columns: plane.columns, rows: plane.rows, channels: 3, bytes: bytes)
  }

  private static func samples(_ pixels: FusedPixels, side: Int) -> Samples {
    switch pixels {
    case .grey(let bytes): Samples(columns: side, rows: bytes.count / side, channels: 1, bytes: bytes)
    case .rgb(let bytes): Samples(columns: side, rows: bytes.count / side / 3, channels: 3, bytes: bytes)
    }
  }

  /// Means over `nodes` × `nodes` blocks.
  private static func field(_ flow: Flow) -> (String, Double) {
    let means = [flow.dx, flow.dy].map(blockMeans)
    let largest = means.joined().map { abs($0) }.max() ?? 0
    guard largest.isFinite, largest > 0 else {
      return (Data(count: 2 * nodes * nodes).base64EncodedString(), 0)
    }
    let scale = largest / Float(Int8.max)
    let bytes = means.joined().map { UInt8(bitPattern: Int8(($0 / scale).rounded())) }
    return (Data(bytes).base64EncodedString(), Double(scale))
  }

  private static func blockMeans(_ plane: Plane) -> [Float] {
    (0..<nodes * nodes).map { index in
      let rows = span(index / nodes, of: plane.rows)
      let columns = span(index % nodes, of: plane.columns)
      var sum: Float = 0
      for row in rows { for column in columns { sum += plane[column, row] } }
      return sum / Float(rows.count * columns.count)
    }
  }

  /// The pixels of one block; on a grid of fewer pixels than blocks, blocks share them.
  private static func span(_ node: Int, of count: Int) -> Range<Int> {
    let first = node * count / nodes
    return first..<max(first + 1, (node + 1) * count / nodes)
  }

  /// As a block of the page: five lines of base64.
  var block: String { [fixed, moving, aligned, fused, field].joined(separator: "\n") }
}
