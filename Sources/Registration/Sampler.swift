// Room for what a field holds at points under one pose, filled by the kernel.

internal import CKernels
internal import Imaging

/// From points (mm, relative to a centre) to indices of a field: three rows of four, through a rigid transform.
struct FieldMap {
  let rows: [Float]

  init(_ geometry: FieldGeometry, _ transform: RigidTransform, about center: SIMD3<Double>) {
    let turned = transform.rotationRows
    let moved = transform(center) - geometry.origin
    rows = geometry.duals.flatMap { dual in
      let linear = dual.x * turned[0] + dual.y * turned[1] + dual.z * turned[2]
      return [Float(linear.x), Float(linear.y), Float(linear.z), Float(dot(dual, moved))]
    }
  }
}

/// Values and gradients at the points of one set.
final class Sampler {
  let count: Int
  private let room: UnsafeMutablePointer<Float>

  init(count: Int) {
    self.count = count
    room = .allocate(capacity: max(1, 4 * count))
    room.initialize(repeating: -1, count: max(1, 4 * count))
  }

  deinit { room.deallocate() }

  var values: UnsafeMutablePointer<Float> { room }
  func value(_ index: Int) -> Float { room[index] }

  var samples: fk_samples {
    fk_samples(value: room, du: room + count, dv: room + 2 * count, dw: room + 3 * count)
  }

  func sample(_ field: Field, _ points: UnsafePointer<fk_points>, _ map: FieldMap, isa: fk_isa) {
    let size = field.geometry.size
    field.values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      var view = fk_field(voxels: base, columns: Int32(size.x), rows: Int32(size.y), slices: Int32(size.z))
      var samples = samples
      fk_sample_points(&view, points, map.rows, &samples, isa)
    }
  }
}
