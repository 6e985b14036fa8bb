// A regular field of mapped values and where its voxels lie – even steps, but axes may be sheared by a gantry tilt.

internal import CKernels
internal import Imaging

/// Where the voxels of a field are: index (u, v, w) lies at `origin + u·steps[0] + v·steps[1] + w·steps[2]`, mm.
struct FieldGeometry: Sendable, Hashable {
  var size: SIMD3<Int>
  var origin: SIMD3<Double>
  /// From one column, row and slice to the next, mm.
  var steps: [SIMD3<Double>]

  var count: Int { size.x * size.y * size.z }
  /// Length of each step, mm.
  var spacing: SIMD3<Double> { SIMD3(length(steps[0]), length(steps[1]), length(steps[2])) }
  var voxelVolume: Double { abs(dot(steps[0], cross(steps[1], steps[2]))) }

  func position(_ index: SIMD3<Double>) -> SIMD3<Double> {
    origin + index.x * steps[0] + index.y * steps[1] + index.z * steps[2]
  }

  /// Vectors whose scalar product with a displacement (mm) is its length in columns, rows and slices.
  var duals: [SIMD3<Double>] {
    let volume = dot(steps[0], cross(steps[1], steps[2]))
    return [
      cross(steps[1], steps[2]) / volume, cross(steps[2], steps[0]) / volume,
      cross(steps[0], steps[1]) / volume,
    ]
  }

  func index(of position: SIMD3<Double>) -> SIMD3<Double> {
    let (from, duals) = (position - origin, duals)
    return SIMD3(dot(from, duals[0]), dot(from, duals[1]), dot(from, duals[2]))
  }

  /// The geometry of boxes of `box` voxels.
  func shrunk(by box: SIMD3<Int>) -> FieldGeometry {
    let middle = SIMD3(Double(box.x - 1), Double(box.y - 1), Double(box.z - 1)) / 2
    return FieldGeometry(
      size: SIMD3(size.x / box.x, size.y / box.y, size.z / box.z), origin: position(middle),
      steps: (0..<3).map { Double(box[$0]) * steps[$0] })
  }

  /// The geometry with one axis at half its length, rounded up.
  func halved(_ axis: Int) -> FieldGeometry {
    var result = self
    result.size[axis] = (size[axis] + 1) / 2
    result.origin = origin + steps[axis] / 2
    result.steps[axis] = 2 * steps[axis]
    return result
  }
}

/// Values 0…1 on a `FieldGeometry`, axis order `[slice][row][column]`.
struct Field: Sendable {
  let geometry: FieldGeometry
  let values: [Float]

  /// The field with one axis halved, smoothed by the weights 1 3 3 1.
  func halved(_ axis: Int, isa: fk_isa) -> Field {
    let next = geometry.halved(axis)
    let size = geometry.size
    let coarser = [Float](unsafeUninitializedCapacity: next.count) { out, count in
      guard let out = out.baseAddress else { return }
      fk_halve(values, Int32(size.x), Int32(size.y), Int32(size.z), Int32(axis), out, isa)
      count = next.count
    }
    return Field(geometry: next, values: coarser)
  }
}

func length(_ v: SIMD3<Double>) -> Double { dot(v, v).squareRoot() }
