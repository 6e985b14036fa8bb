// Similarity measures against NumPy and SciPy, and their values where the answer is known.

import CKernels
import Foundation
import Testing

@testable import Imaging

private struct Measures: Decodable {
  let ncc, nccMasked, mae, maeMasked, mi, miMasked, nmi, ssim, ssimMasked: Double
  let percentiles: [Double]
}

@Suite struct SimilarityTests {
  private let a: Plane
  private let b: Plane
  private let mask: [Bool]

  init() {
    let (field, other) = (smoothField(seed: 1), smoothField(seed: 2))
    let points = (0..<53 * 67).map { (index: Int) in SIMD3(Double(index % 53), Double(index / 53), 0.0) }
    let first = points.map { field($0) / 3 + 0.5 }
    let second = zip(points, first).map { $1 + other($0) / 5 }
    a = Plane(columns: 53, rows: 67, pixels: first.map { Float(min(max($0, 0), 1)) })
    b = Plane(columns: 53, rows: 67, pixels: second.map { Float(min(max($0, 0), 1)) })
    mask = points.map { $0.x + $0.y > 40 && $0.x < 45 }
  }

  @Test(.enabled(if: Judge.isAvailable, Comment(rawValue: Judge.absence)))
  func `NumPy and SciPy find the same similarities and percentiles`() throws {
    var random = SeededGenerator(8)
    let values = (0..<4321).map { _ in Float.random(in: -1000...3000, using: &random) } + [0, -0.0, 5, 5, 5]
    try Judge.withFolder { folder in
      try JSONEncoder().encode([a.rows, a.columns]).write(to: folder.appending(path: "shape.json"))
      try Judge.write(a.pixels, to: folder.appending(path: "a"))
      try Judge.write(b.pixels, to: folder.appending(path: "b"))
      try Judge.write(mask.map { $0 ? 1 : 0 }, to: folder.appending(path: "mask"))
      try Judge.write(values, to: folder.appending(path: "values"))
      try Judge.run("measures.py", folder.path)
      let expected = try JSONDecoder().decode(
        Measures.self, from: Data(contentsOf: folder.appending(path: "measures.json")))
      compare(expected)
      let statistics = OrderStatistics(values)
      for (percent, judged) in zip([0, 1, 37.5, 50, 99.5, 100], expected.percentiles) {
        #expect(abs((statistics.percentile(percent) ?? .nan) - judged) < 1e-9)
      }
    }
  }

  @Test func `pairs are counted one by one, with every instruction set`() {
    var random = SeededGenerator(9)
    for (count, bins) in [(1, 4), (1023, 32), (2500, 7)] {
      let first = (0..<count).map { _ in Float.random(in: -0.2...1.2, using: &random) } + [.nan, 1]
      let second = (0..<count).map { _ in Float.random(in: -0.2...1.2, using: &random) } + [1, .infinity]
      let mask = first.indices.map { $0 % 3 != 1 }
      func bin(_ value: Float) -> Int { value > 0 ? min(Int(min(value, 1) * Float(bins)), bins - 1) : 0 }
      var expected = [Int](repeating: 0, count: bins * bins)
      for index in first.indices where mask[index] {
        expected[bin(first[index]) * bins + bin(second[index])] += 1
      }
      for isa in [FK_ISA_PORTABLE, FK_ISA_AVX2, FK_ISA_AVX512] where isa.rawValue <= fk_best_isa().rawValue {
        var counts = [UInt32](repeating: 0, count: 2 * (bins * bins + 1))
        fk_count_joint(first, second, mask, first.count, Int32(bins), &counts, isa)
        let found = expected.indices.map { Int(counts[$0]) + Int(counts[bins * bins + 1 + $0]) }
        #expect(found == expected, "\(isa.rawValue)")
      }
    }
  }

  private func compare(_ expected: Measures) {
    #expect(abs(Similarity.normalizedCrossCorrelation(a, b) - expected.ncc) < 1e-9)
    #expect(abs(Similarity.normalizedCrossCorrelation(a, b, mask: mask) - expected.nccMasked) < 1e-9)
    #expect(abs(Similarity.meanAbsoluteError(a, b) - expected.mae) < 1e-7)
    #expect(abs(Similarity.meanAbsoluteError(a, b, mask: mask) - expected.maeMasked) < 1e-7)
    #expect(abs(Similarity.mutualInformation(a, b) - expected.mi) < 1e-9)
    #expect(abs(Similarity.mutualInformation(a, b, bins: 64, mask: mask) - expected.miMasked) < 1e-9)
    #expect(abs(Similarity.normalizedMutualInformation(a, b, bins: 32) - expected.nmi) < 1e-9)
    #expect(abs(Similarity.structuralSimilarity(a, b) - expected.ssim) < 1e-9)
    #expect(abs(Similarity.structuralSimilarity(a, b, mask: mask) - expected.ssimMasked) < 1e-9)
  }

  @Test func `a plane is most like itself`() {
    #expect(abs(Similarity.normalizedCrossCorrelation(a, a) - 1) < 1e-12)
    #expect(Similarity.meanAbsoluteError(a, a) == 0)
    #expect(abs(Similarity.structuralSimilarity(a, a) - 1) < 1e-12)
    #expect(abs(Similarity.normalizedMutualInformation(a, a) - 2) < 1e-12)
    #expect(Similarity.mutualInformation(a, a) > Similarity.mutualInformation(a, b))
  }

  @Test func `mutual information does not mind an inverted contrast`() {
    let inverted = Plane(columns: a.columns, rows: a.rows, pixels: a.pixels.map { 1 - $0 })
    let same = Similarity.mutualInformation(a, a, bins: 32)
    #expect(abs(Similarity.mutualInformation(a, inverted, bins: 32) - same) < 0.05 * same)
    #expect(Similarity.normalizedCrossCorrelation(a, inverted) < -0.999)
  }

  @Test func `two independent coins share nothing and a copied coin one bit`() {
    let first = Plane(columns: 4, rows: 1, pixels: [0, 0, 1, 1])
    let second = Plane(columns: 4, rows: 1, pixels: [0, 1, 0, 1])
    #expect(abs(Similarity.mutualInformation(first, second, bins: 2)) < 1e-12)
    #expect(abs(Similarity.mutualInformation(first, first, bins: 2) - 1) < 1e-12)
  }

  @Test func `where nothing can be measured the answer is a number that says so`() {
    let flat = Plane(columns: 20, rows: 20, repeating: 0.3)
    let none = [Bool](repeating: false, count: 400)
    #expect(Similarity.normalizedCrossCorrelation(flat, flat) == 0)
    #expect(Similarity.normalizedMutualInformation(flat, flat) == 1)
    #expect(Similarity.meanAbsoluteError(flat, flat, mask: none) == 0)
    #expect(Similarity.structuralSimilarity(flat, flat, mask: none) == 0)
    #expect(Similarity.structuralSimilarity(Plane(columns: 9, rows: 9), Plane(columns: 9, rows: 9)) == 0)
    #expect(Similarity.mutualInformation(flat, flat, mask: none) == 0)
  }
}
