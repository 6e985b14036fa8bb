// Deformations of neighbouring slices averaged, so that they do not jump from one slice to the next.

import BSAFusion
import Glibc
import Imaging

/// A Gaussian along the normal of a stack, in millimetres, over the fields of the slices that may be used.
///
/// Every slice is deformed within its plane by a network that sees nothing else of the stack, while anatomy goes on from
/// slice to slice. Thick slices are further apart than the Gaussian reaches and keep their own fields.
struct ThroughPlane: Sendable {
  /// Standard deviation, mm; 0 leaves every slice its own field.
  let sigma: Double
  /// Slices further away than this many standard deviations have no say.
  static let reach = 2.0

  /// Indices of the slices that have a say in one slice's field, rising.
  func window(of slice: Int, depths: [Double]) -> [Int] {
    guard sigma > 0 else { return [slice] }
    return depths.indices.filter { abs(depths[$0] - depths[slice]) <= Self.reach * sigma }
  }

  /// The mean field of a window, at each pixel over the slices that may be used and have moving data there; where none has,
  /// the slice's own. Nil where no other slice of it may be used.
  ///
  /// The fields are of the same pixel of every slice: in a sheared stack these lie beside each other by far less than the
  /// distance over which a field changes.
  func field(of slice: Int, window: [Int], slices: [PreparedSlice], depths: [Double]) -> Flow? {
    let parts = zip(window, slices).filter { $1.record.accepted }
    guard let own = zip(window, slices).first(where: { $0.0 == slice })?.1,
      parts.contains(where: { $0.0 != slice })
    else { return nil }
    var (dx, dy) = (own.alignment.flow.dx, own.alignment.flow.dy)
    let zeros = [Float](repeating: 0, count: dx.pixels.count)
    var (x, y, total) = (zeros, zeros, zeros)
    for (index, part) in parts {
      let distance = (depths[index] - depths[slice]) / sigma
      let weight = Float(exp(-distance * distance / 2))
      let (flow, inside) = (part.alignment.flow, part.planes.inside)
      for pixel in inside.indices where inside[pixel] {
        x[pixel] += weight * flow.dx.pixels[pixel]
        y[pixel] += weight * flow.dy.pixels[pixel]
        total[pixel] += weight
      }
    }
    for pixel in total.indices where total[pixel] > 0 {
      dx.pixels[pixel] = x[pixel] / total[pixel]
      dy.pixels[pixel] = y[pixel] / total[pixel]
    }
    return Flow(dx: dx, dy: dy)
  }
}
