// The kernels against plain twins, and against themselves on other instruction sets.

import CKernels
import Foundation
import Imaging
import Testing

@testable import Registration

private let sets: [fk_isa] = [FK_ISA_PORTABLE, FK_ISA_AVX2, FK_ISA_AVX512].filter {
  $0.rawValue <= fk_best_isa().rawValue
}

private func field(_ size: SIMD3<Int>, seed: UInt64) -> Field {
  var random = SplitMix(state: seed)
  let geometry = FieldGeometry(
    size: size, origin: SIMD3(-20, -30, -25),
    steps: [SIMD3(1.9, 0.1, 0), SIMD3(0, 2.1, 0.2), SIMD3(0.3, 0.4, 2.5)])
  return Field(geometry: geometry, values: (0..<geometry.count).map { _ in Float(random.unit()) })
}

/// Trilinear value with the edge continuing half a voxel; nil outside.
private func naive(_ field: Field, _ index: SIMD3<Double>) -> Double? {
  let size = field.geometry.size
  var (low, part) = (SIMD3<Int>.zero, SIMD3<Double>.zero)
  for k in 0..<3 {
    guard index[k] >= -0.5, index[k] <= Double(size[k]) - 0.5 else { return nil }
    let inner = min(max(index[k], 0), Double(size[k] - 1))
    low[k] = min(Int(inner), size[k] - 2)
    part[k] = inner - Double(low[k])
  }
  var sum = 0.0
  for corner in 0..<8 {
    let step = SIMD3(corner & 1, corner >> 1 & 1, corner >> 2)
    let at = low &+ step
    var weight = 1.0
    for k in 0..<3 { weight *= step[k] == 1 ? part[k] : 1 - part[k] }
    sum += weight * Double(field.values[(at.z * size.y + at.y) * size.x + at.x])
  }
  return sum
}

@Suite struct KernelTests {
  @Test func `samples are those of a plain trilinear interpolation, and outside is outside`() throws {
    let field = field(SIMD3(21, 19, 17), seed: 3)
    let region = Mask(above: -1, in: field)
    let points = PointSet(
      about: SIMD3(1, 2, 3), over: region, wanted: 2_003, of: field, bins: 32, seed: 9, isa: fk_best_isa())
    let pose = RigidTransform(rotation: degrees(8, -5, 12), translation: SIMD3(4, -3, 2))
    let sampler = Sampler(count: points.count)
    points.withPoints {
      sampler.sample(field, $0, FieldMap(field.geometry, pose, about: points.center), isa: fk_best_isa())
    }
    var (outside, worst) = (0, 0.0)
    for i in 0..<points.count {
      let place = SIMD3(Double(points.x[i]), Double(points.y[i]), Double(points.z[i])) + points.center
      let index = field.geometry.index(of: pose(place))
      let margins = (0..<3).map { min(index[$0] + 0.5, Double(field.geometry.size[$0]) - 0.5 - index[$0]) }
      if abs(margins.min() ?? 0) < 1e-4 { continue }  // the last bit decides
      if let expected = naive(field, index) {
        worst = max(worst, abs(Double(sampler.value(i)) - expected))
      } else {
        outside += 1
        #expect(sampler.value(i) == -1)
      }
    }
    #expect(worst < 1e-4)
    #expect(outside > 100 && outside < points.count - 100)
  }

  @Test func `every instruction set gives the same bits`() throws {
    let field = field(SIMD3(37, 35, 23), seed: 5)
    let region = Mask(above: -1, in: field)
    let pose = RigidTransform(rotation: degrees(3, -6, 9), translation: SIMD3(2, -3, 1))
    let answers = sets.map { isa in
      let points = PointSet(
        about: .zero, over: region, wanted: 5_001, of: field, bins: 32, seed: 4, isa: isa)
      let comparison = Comparison(points: points, field: field.halved(0, isa: isa), radius: 30, isa: isa)
      let value = comparison.value(at: pose)
      return (value, comparison.gradient())
    }
    for answer in answers { #expect(answer == answers[0]) }
    let raw = RawField(geometry: field.geometry, values: field.values)
    let map = try #require(IntensityMap(field.values))
    for isa in sets {
      #expect(map.apply(raw, isa: isa).values == map.apply(raw, isa: FK_ISA_PORTABLE).values)
      for axis in 0..<3 {
        #expect(field.halved(axis, isa: isa).values == field.halved(axis, isa: FK_ISA_PORTABLE).values)
      }
    }
  }

  @Test func `boxes are means over what is finite`() {
    var values = (0..<7 * 5 * 4).map { Float($0 % 11) }
    values[0] = .nan
    let geometry = FieldGeometry(
      size: SIMD3(7, 5, 4), origin: .zero, steps: [SIMD3(0.3, 0, 0), SIMD3(0, 0.5, 0), SIMD3(0, 0, 0.5)])
    #expect(geometry.boxToFinest == SIMD3(3, 2, 2))
    var out = [Float](repeating: 0, count: 2 * 2 * 2)
    fk_shrink(values, 7, 5, 4, [3, 2, 2], &out, fk_best_isa())
    for w in 0..<2 {
      for v in 0..<2 {
        for u in 0..<2 {
          let box = (0..<12).map { k in
            values[((2 * w + k / 6) * 5 + 2 * v + k / 3 % 2) * 7 + 3 * u + k % 3]
          }.filter(\.isFinite)
          #expect(abs(out[(w * 2 + v) * 2 + u] - box.reduce(0, +) / Float(box.count)) < 1e-5)
        }
      }
    }
    let shrunk = geometry.shrunk(by: SIMD3(3, 2, 2))
    #expect(length(shrunk.origin - SIMD3(0.3, 0.25, 0.25)) < 1e-12)
  }

  @Test func `a halved axis keeps a slope and its place`() {
    let geometry = FieldGeometry(
      size: SIMD3(16, 3, 3), origin: SIMD3(5, 0, 0), steps: [SIMD3(2, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)])
    let ramp = Field(geometry: geometry, values: (0..<geometry.count).map { Float($0 % 16) })
    let half = ramp.halved(0, isa: fk_best_isa())
    for u in 1..<7 {
      let x = half.geometry.position(SIMD3(Double(u), 0, 0)).x
      #expect(abs(Double(half.values[u]) - geometry.index(of: SIMD3(x, 0, 0)).x) < 1e-5)
    }
  }
}
