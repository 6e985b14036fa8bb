// Points of the fixed image at which both images are compared: where they are and which bin the fixed value falls in.

internal import CKernels
internal import Imaging

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Even in 0 ..< 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// Positions relative to `center`, drawn evenly over a region: every voxel of the mask gets its share, and within it the
/// places are random, because points on a grid favour poses where both grids coincide.
struct PointSet: Sendable {
  let center: SIMD3<Double>
  private(set) var x: [Float] = []
  private(set) var y: [Float] = []
  private(set) var z: [Float] = []
  /// Bin of the fixed value, 0 ..< bins.
  private(set) var bins: [UInt8] = []

  var count: Int { x.count }

  init(
    about center: SIMD3<Double>, over region: Mask, wanted: Int, of field: Field, bins: Int, seed: UInt64,
    isa: fk_isa
  ) {
    self.center = center
    scatter(over: region, wanted: wanted, seed: seed)
    let sampler = Sampler(count: count)
    withPoints { points in
      sampler.sample(field, points, FieldMap(field.geometry, .identity, about: center), isa: isa)
    }
    keep { sampler.value($0) }
    self.bins = (0..<sampler.count).map(sampler.value).filter { $0 >= 0 }
      .map { UInt8(min(Float(bins - 1), $0 * Float(bins))) }
  }

  private mutating func scatter(over region: Mask, wanted: Int, seed: UInt64) {
    var random = SplitMix(state: seed)
    let share = Double(wanted) / Double(max(region.count, 1))
    var owed = 0.5
    region.forEachIndex { index, at in
      guard region.voxels[at] else { return }
      owed += share
      while owed >= 1 {
        owed -= 1
        let place = SIMD3(random.unit(), random.unit(), random.unit()) - 0.5
        let point = region.geometry.position(index + place) - center
        x.append(Float(point.x))
        y.append(Float(point.y))
        z.append(Float(point.z))
      }
    }
  }

  /// Leaves out points outside the field.
  private mutating func keep(_ value: (Int) -> Float) {
    let kept = x.indices.filter { value($0) >= 0 }
    (x, y, z) = (kept.map { x[$0] }, kept.map { y[$0] }, kept.map { z[$0] })
  }

  func withPoints(_ body: (UnsafePointer<fk_points>) -> Void) {
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        z.withUnsafeBufferPointer { z in
          guard let x = x.baseAddress, let y = y.baseAddress, let z = z.baseAddress else { return }
          var points = fk_points(x: x, y: y, z: z, count: Int32(count))
          body(&points)
        }
      }
    }
  }
}
