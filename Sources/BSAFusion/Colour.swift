// Colour of PET and SPECT: luminance is fused, chroma is warped. The matrices of BSAFusion's inference, not BT.601.

public import Imaging

/// Red, green and blue, or luminance and two chroma planes, of one size; values 0…1 before processing.
public struct ColourPlanes: Sendable, Hashable {
  public var first: Plane
  public var second: Plane
  public var third: Plane

  public init(_ first: Plane, _ second: Plane, _ third: Plane) {
    precondition(
      first.columns == second.columns && second.columns == third.columns && first.rows == second.rows
        && second.rows == third.rows, "three planes of one size")
    self.first = first
    self.second = second
    self.third = third
  }
}

/// RGB ↔ YCbCr as the released models were trained and tested with.
///
/// The green weight of Y is 0.564 (not 0.504), and the two matrices are not inverses: a grey round trip brightens by
/// about 7 %. Both are kept, the trained weights expect them.
public enum Colour {
  /// Offset of Y.
  static let luminanceOffset: Float = 0.0625
  /// Offset of Cb and Cr.
  static let chromaOffset: Float = 0.5

  /// RGB in 0…1 → (Y, Cb, Cr).
  public static func ycbcr(fromRGB rgb: ColourPlanes) -> ColourPlanes {
    map(rgb) { r, g, b in
      (
        0.257 * r + 0.564 * g + 0.098 * b + luminanceOffset,
        -0.148 * r - 0.291 * g + 0.439 * b + chromaOffset,
        0.439 * r - 0.368 * g - 0.071 * b + chromaOffset
      )
    }
  }

  /// (Y, Cb, Cr) → RGB, not clamped.
  public static func rgb(fromYCbCr ycbcr: ColourPlanes) -> ColourPlanes {
    map(ycbcr) { y, cb, cr in
      let l = 1.164 * (y - luminanceOffset), b = cb - chromaOffset, r = cr - chromaOffset
      return (l + 1.596 * r, l - 0.392 * b - 0.813 * r, l + 2.017 * b)
    }
  }

  /// The fused luminance with the moving image's chroma, warped onto the fixed grid (sampler V), as RGB.
  public static func rgb(fused: Plane, movingYCbCr: ColourPlanes, flow: Flow) -> ColourPlanes {
    rgb(fromYCbCr: ColourPlanes(fused, flow.warp(movingYCbCr.second), flow.warp(movingYCbCr.third)))
  }

  /// 0…1 to the grey level of an 8-bit file: v · 255 + ½, limited to 0…255, truncated.
  public static func bytes(_ plane: Plane) -> [UInt8] {
    plane.pixels.map { UInt8(min(max($0 * 255 + 0.5, 0), 255)) }
  }

  private static func map(
    _ planes: ColourPlanes, _ body: (Float, Float, Float) -> (Float, Float, Float)
  ) -> ColourPlanes {
    var result = planes
    for i in planes.first.pixels.indices {
      (result.first.pixels[i], result.second.pixels[i], result.third.pixels[i]) = body(
        planes.first.pixels[i], planes.second.pixels[i], planes.third.pixels[i])
    }
    return result
  }
}
