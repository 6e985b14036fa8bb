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

  /// The slices of a window that have a say: those whose own fields may be used.
  static func voices(_ window: [Int], _ slices: [PreparedSlice]) -> [(Int, PreparedSlice)] {
    zip(window, slices).filter { $1.record.accepted }
  }

  /// The mean field of a window, at each pixel over the slices that may be used and have moving data there; where none has,
  /// the slice's own. Nil where no other slice of it may be used.
  ///
  /// The fields are of the same pixel of every slice: in a sheared stack these lie beside each other by far less than the
  /// distance over which a field changes.
  func field(of slice: Int, window: [Int], slices: [PreparedSlice], depths: [Double]) -> Flow? {
    let parts = Self.voices(window, slices)
    guard let own = zip(window, slices).first(where: { $0.0 == slice })?.1,
      parts.contains(where: { $0.0 != slice })
    else { return nil }
    let size = own.planes.inside.count
    var mean = Flow.Sums(count: size)
    for (index, part) in parts {
      let distance = (depths[index] - depths[slice]) / sigma
      mean.add(part.alignment.flow, inside: part.planes.inside, weight: Float(exp(-distance * distance / 2)))
    }
    return mean.mean(elsewhere: own.alignment.flow)
  }
}

extension Flow {
  /// Weighted sums of fields, pixel by pixel.
  fileprivate struct Sums {
    private var x: [Float]
    private var y: [Float]
    private var total: [Float]

    init(count: Int) {
      x = [Float](repeating: 0, count: count)
      (y, total) = (x, x)
    }

    /// Straight through memory and without a branch: with thin slices this runs eleven times a slice.
    mutating func add(_ flow: Flow, inside: [Bool], weight: Float) {
      precondition(inside.count == total.count && flow.dx.pixels.count == total.count, "fields of one size")
      flow.dx.pixels.withUnsafeBufferPointer { dx in
        flow.dy.pixels.withUnsafeBufferPointer { dy in
          inside.withUnsafeBufferPointer { inside in
            x.withUnsafeMutableBufferPointer { x in
              for i in 0..<x.count { x[i] += inside[i] ? weight * dx[i] : 0 }
            }
            y.withUnsafeMutableBufferPointer { y in
              for i in 0..<y.count { y[i] += inside[i] ? weight * dy[i] : 0 }
            }
            total.withUnsafeMutableBufferPointer { total in
              for i in 0..<total.count { total[i] += inside[i] ? weight : 0 }
            }
          }
        }
      }
    }

    /// The mean, and another field's vector where nothing was added.
    func mean(elsewhere other: Flow) -> Flow {
      func divided(_ sums: [Float], _ other: Plane) -> Plane {
        var result = other
        for pixel in total.indices where total[pixel] > 0 {
          result.pixels[pixel] = sums[pixel] / total[pixel]
        }
        return result
      }
      return Flow(dx: divided(x, other.dx), dy: divided(y, other.dy))
    }
  }
}
