// The moving image in colour: its luminance for the network, its chroma carried to the fused picture.

import BSAFusion
import Imaging

/// A normalised plane coloured by a table and split into YCbCr, as the paper treats PET and SPECT.
struct ColourPicture {
  private let components: YCbCr

  init(_ plane: Plane, table: ColourTable) {
    var red = plane, green = plane, blue = plane
    for index in plane.pixels.indices {
      let colour = table.rgb(plane.pixels[index])
      red.pixels[index] = colour.x
      green.pixels[index] = colour.y
      blue.pixels[index] = colour.z
    }
    components = YCbCr(red: red, green: green, blue: blue)
  }

  /// Y of the coloured picture, 0…1: what the network sees.
  var luminance: Plane { components.y }

  /// Interleaved 8-bit RGB of the fused luminance with the chroma warped by the same deformation.
  func fused(_ result: Fused) -> [UInt8] {
    let rgb = components.warpingChroma(by: result.flow).replacingLuminance(result.fused).rgb()
    var bytes = [UInt8](repeating: 0, count: 3 * result.fused.pixels.count)
    for index in result.fused.pixels.indices {
      bytes[3 * index] = eightBits(rgb.red.pixels[index])
      bytes[3 * index + 1] = eightBits(rgb.green.pixels[index])
      bytes[3 * index + 2] = eightBits(rgb.blue.pixels[index])
    }
    return bytes
  }
}
