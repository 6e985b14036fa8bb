// The moving image in colour: its luminance for the network, its chroma carried to the fused picture.

public import BSAFusion
public import Imaging

/// A colour picture split into YCbCr, as the paper treats PET and SPECT.
public struct ColourPicture: Sendable {
  private let components: ColourPlanes

  /// A picture in red, green and blue, 0…1.
  public init(rgb: ColourPlanes) { components = Colour.ycbcr(fromRGB: rgb) }

  /// A normalised plane coloured by a table.
  init(_ plane: Plane, table: ColourTable) {
    var rgb = ColourPlanes(plane, plane, plane)
    for index in plane.pixels.indices {
      let colour = table.rgb(plane.pixels[index])
      rgb.first.pixels[index] = colour.x
      rgb.second.pixels[index] = colour.y
      rgb.third.pixels[index] = colour.z
    }
    self.init(rgb: rgb)
  }

  /// Y of the picture, 0…1: what the network sees.
  public var luminance: Plane { components.first }

  /// Red, green and blue of the fused luminance with the chroma warped by the same deformation; not clamped.
  public func fused(_ result: Fused) -> ColourPlanes { coloured(result.fused, flow: result.flow) }

  /// Red, green and blue of a luminance with the chroma warped by `flow`; not clamped.
  func coloured(_ luminance: Plane, flow: Flow) -> ColourPlanes {
    Colour.rgb(fused: luminance, movingYCbCr: components, flow: flow)
  }
}

extension ColourPlanes {
  /// Interleaved 8-bit samples, `[row][column][red, green, blue]`.
  var interleavedBytes: [UInt8] {
    let planes = [first, second, third].map(Colour.bytes)
    return planes[0].indices.flatMap { [planes[0][$0], planes[1][$0], planes[2][$0]] }
  }
}
