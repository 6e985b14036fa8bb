// Where the moving series has data on a slice; elsewhere the fixed image stands alone, so that no border is fused.

import BSAFusion
import Imaging

/// The part of a slice that the moving series covers.
///
/// Outside it the network sees the background value beside real tissue: an edge that is none. What it makes of that
/// edge would be anatomy to a reader, so the fused picture takes the fixed image's own values there.
struct FieldOfView {
  /// Row-major; true where the moving image, deformed as it is used, has data.
  let covered: [Bool]

  /// - Parameters:
  ///   - inside: the moving image's mask before any deformation.
  ///   - flow: the deformation that is used.
  init(inside: [Bool], columns: Int, rows: Int, flow: Flow) {
    guard inside.contains(false) else {
      covered = inside
      return
    }
    let mask = Plane(columns: columns, rows: rows, pixels: inside.map { $0 ? 1 : 0 })
    // Half and more of the interpolation weight on data, as in resampling.
    covered = flow.warp(mask).pixels.map { $0 >= 0.5 }
  }

  var isWhole: Bool { !covered.contains(false) }

  /// `fused` where covered, `fixed` elsewhere; luminance 0…1.
  func compose(_ fused: Plane, fixed: Plane) -> Plane {
    guard !isWhole else { return fused }
    var result = fused
    for index in covered.indices where !covered[index] { result.pixels[index] = fixed.pixels[index] }
    return result
  }
}
