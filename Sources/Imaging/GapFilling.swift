// Values for voxels without data, so that a spline can pass – never shown: the mask decides what is seen.

internal import CKernels

/// Replaces non-finite voxels by the nearest finite value along the row, else along the column, else along the
/// slices.
enum GapFilling {
  static func filled(_ volume: Volume) -> [Float] {
    guard volume.hasGaps else { return volume.voxels }
    var data = volume.voxels
    let plane = volume.grid.plane
    let area = plane.rows * plane.columns
    for start in stride(from: 0, to: data.count, by: plane.columns) {
      fill(&data, start: start, count: plane.columns, stride: 1)
    }
    for slice in 0..<volume.grid.slices {
      for column in 0..<plane.columns {
        fill(&data, start: slice * area + column, count: plane.rows, stride: plane.columns)
      }
    }
    for pixel in 0..<area { fill(&data, start: pixel, count: volume.grid.slices, stride: area) }
    for index in data.indices where !data[index].isFinite { data[index] = 0 }  // nothing finite anywhere
    return data
  }

  /// Nearest finite value along one line; of two equally near ones the earlier.
  private static func fill(_ data: inout [Float], start: Int, count: Int, stride: Int) {
    let known = (0..<count).filter { data[start + $0 * stride].isFinite }
    guard !known.isEmpty, known.count < count else { return }
    var next = 0
    for index in 0..<count where !data[start + index * stride].isFinite {
      while next < known.count && known[next] < index { next += 1 }
      let before = next > 0 ? known[next - 1] : nil
      let after = next < known.count ? known[next] : nil
      let nearest: Int
      switch (before, after) {
      case (let b?, let a?): nearest = index - b <= a - index ? b : a
      case (let b?, nil): nearest = b
      case (nil, let a?): nearest = a
      case (nil, nil): return
      }
      data[start + index * stride] = data[start + nearest * stride]
    }
  }
}

extension Volume {
  /// Whether any voxel is NaN or infinite, which stands for 'no data' (padding, outside the scanned circle).
  public var hasGaps: Bool {
    !voxels.withUnsafeBufferPointer { $0.baseAddress.map { fk_all_finite($0, voxels.count) } ?? true }
  }
}
