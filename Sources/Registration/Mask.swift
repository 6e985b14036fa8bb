// Voxels that belong to the patient: the largest body above the air threshold, without couch and holder.

internal import Imaging

/// A set of voxels of a field.
struct Mask: Sendable {
  let geometry: FieldGeometry
  var voxels: [Bool]

  /// Thickness below which a bridge to another body is cut, mm: couch and head holder touch the head by less.
  static let bridge = 8.0

  /// Voxels above a mapped value.
  init(above threshold: Float, in field: Field) {
    geometry = field.geometry
    voxels = field.values.map { $0 > threshold }
  }

  var count: Int { voxels.reduce(0) { $0 + ($1 ? 1 : 0) } }

  /// The largest connected body, cut from what it only touches.
  func body() -> Mask {
    let core = shifted(by: Self.bridge / 2, keep: .all).largestComponent()
    guard core.count > 0 else { return largestComponent() }
    var result = core.shifted(by: 1.5 * Self.bridge, keep: .any)
    for i in voxels.indices where !voxels[i] { result.voxels[i] = false }
    return result.count > 0 ? result : largestComponent()
  }

  /// With everything within about `margin` mm of it.
  func grown(by margin: Double) -> Mask { shifted(by: margin, keep: .any) }

  /// Mean position, mm; nil where empty.
  var centroid: SIMD3<Double>? {
    var (sum, n) = (SIMD3<Double>.zero, 0.0)
    forEachIndex { index, at in
      guard voxels[at] else { return }
      sum += index
      n += 1
    }
    return n > 0 ? geometry.position(sum / n) : nil
  }

  /// Root mean square distance of its voxels from a position, mm.
  func spread(about center: SIMD3<Double>) -> Double {
    var (sum, n) = (0.0, 0.0)
    forEachIndex { index, at in
      guard voxels[at] else { return }
      let away = geometry.position(index) - center
      sum += dot(away, away)
      n += 1
    }
    return n > 0 ? (sum / n).squareRoot() : 0
  }

  func forEachIndex(_ body: (SIMD3<Double>, Int) -> Void) {
    var at = 0
    for w in 0..<geometry.size.z {
      for v in 0..<geometry.size.y {
        for u in 0..<geometry.size.x {
          body(SIMD3(Double(u), Double(v), Double(w)), at)
          at += 1
        }
      }
    }
  }
}

extension Mask {
  private enum Keep { case any, all }

  /// Erosion (`all`) or dilation (`any`) by a box of about `margin` mm to each side; the edge continues.
  private func shifted(by margin: Double, keep: Keep) -> Mask {
    var result = self
    let size = geometry.size
    let strides = [1, size.x, size.x * size.y]
    for axis in 0..<3 {
      let reach = Int((margin / geometry.spacing[axis]).rounded())
      guard reach > 0 else { continue }
      result.voxels = Self.run(
        result.voxels, length: size[axis], stride: strides[axis], reach: reach, keepAll: keep == .all)
    }
    return result
  }

  private static func run(_ voxels: [Bool], length: Int, stride: Int, reach: Int, keepAll: Bool) -> [Bool] {
    var out = voxels
    voxels.withUnsafeBufferPointer { voxels in
      out.withUnsafeMutableBufferPointer { out in
        for line in 0..<voxels.count / length {
          let start = line / stride * stride * length + line % stride
          // The last place before and the next after each voxel that decides for it.
          var last = -reach - 1
          for pass in [0, 1] {
            last = -reach - 1
            for k in 0..<length {
              let at = start + (pass == 0 ? k : length - 1 - k) * stride
              if voxels[at] != keepAll { last = k }
              if k - last <= reach { out[at] = !keepAll }
            }
          }
        }
      }
    }
    return out
  }

  /// The connected component (six neighbours) of most voxels.
  private func largestComponent() -> Mask {
    let size = geometry.size
    var label = [Int32](repeating: 0, count: voxels.count)
    var (best, bestCount, next) = (Int32(0), 0, Int32(0))
    var stack: [Int] = []
    for seed in voxels.indices where voxels[seed] && label[seed] == 0 {
      next += 1
      label[seed] = next
      stack.append(seed)
      var count = 0
      while let at = stack.popLast() {
        count += 1
        let (u, v, w) = (at % size.x, at / size.x % size.y, at / (size.x * size.y))
        func visit(_ near: Int, _ isInside: Bool) {
          guard isInside, voxels[near], label[near] == 0 else { return }
          label[near] = next
          stack.append(near)
        }
        visit(at - 1, u > 0)
        visit(at + 1, u < size.x - 1)
        visit(at - size.x, v > 0)
        visit(at + size.x, v < size.y - 1)
        visit(at - size.x * size.y, w > 0)
        visit(at + size.x * size.y, w < size.z - 1)
      }
      if count > bestCount { (best, bestCount) = (next, count) }
    }
    var result = self
    result.voxels = label.map { $0 == best && best > 0 }
    return result
  }
}
