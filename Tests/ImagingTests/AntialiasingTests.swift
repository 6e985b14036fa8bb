// The smoothing before a coarser grid: its rule, its variance, what it keeps and what it removes.

import CKernels
import Foundation
import Testing

@testable import Imaging

@Suite struct AntialiasingTests {
  private let fine = stack(
    grid(columns: 64, rows: 64, spacing: (0.5, 0.8)), depths: (0..<40).map { 1.25 * Double($0) })

  @Test func `smoothing makes up the difference of the two pixel boxes`() {
    let target = stack(grid(columns: 20, rows: 20, spacing: (1.5, 1.6)), depths: [0, 5, 10])
    let rule = Antialiasing(from: fine, to: target)
    #expect(abs(rule.columnSigma - (8.0 / 12).squareRoot()) < 1e-12)
    #expect(abs(rule.rowSigma - (3.0 / 12).squareRoot()) < 1e-12)
    #expect(abs(rule.sliceSigma - 1.25 * (15.0 / 12).squareRoot()) < 1e-12)
  }

  @Test func `a grid as fine or finer asks for none, and none changes nothing`() {
    let target = stack(grid(columns: 20, rows: 20, spacing: (0.54, 0.8)), depths: [0, 1.3])
    #expect(Antialiasing(from: fine, to: target) == .none)
    let volume = Volume(noise: fine, seed: 1)
    let kept = Resampler(volume: volume, onto: target, background: 0)
    #expect(kept.voxels == volume.voxels)
  }

  @Test func `a turned grid is measured along the axes of the volume`() {
    let quarter = RigidTransform(rotation: SIMD3(0, 0, .pi / 2))
    let target = stack(grid(columns: 20, rows: 20, spacing: (2, 4)), depths: [0])
    let straight = Antialiasing(from: fine, to: target)
    let turned = Antialiasing(from: fine, to: target, transform: quarter)
    // In mm² the two in-plane pitches have changed places.
    #expect(abs(12 * pow(straight.columnSigma * 0.5, 2) - (4 - 0.25)) < 1e-9)
    #expect(abs(12 * pow(turned.columnSigma * 0.5, 2) - (16 - 0.25)) < 1e-9)
    #expect(turned.sliceSigma == 0)
  }

  @Test(arguments: [0.2, 0.45, 0.8, 1.5, 2.5])
  func `the discrete kernel has the variance it should`(sigma: Double) {
    let table = SmoothingTable(count: 41, sigma: sigma)
    let row = 20 * Int(table.stride)
    let weights = table.weights[row..<row + Int(table.taps[20])].map(Double.init)
    let total = weights.reduce(0, +)
    let variance =
      weights.enumerated().reduce(0) {
        $0 + $1.element * pow(Double(Int(table.first[20]) + $1.offset - 20), 2)
      } / total
    #expect(abs(variance - sigma * sigma) < 0.005 * sigma * sigma)
  }

  @Test func `smoothing keeps a ramp, uneven slices included`() {
    let uneven = stack(
      grid(columns: 30, rows: 30, spacing: (1, 1)), depths: [-9, -8, -6, -5, -4, -2, -1, 0, 2, 3, 4, 6, 7, 9])
    let volume = Volume(uneven) { 2 * $0.x - $0.y + 3 * $0.z }
    let rule = Antialiasing(columnSigma: 0.8, rowSigma: 0.6, sliceSigma: 1.1)
    let resampler = Resampler(volume: volume, interpolation: .trilinear, background: 0, antialiasing: rule)
    let target = grid(
      columns: 9, rows: 9, spacing: (1, 1), center: SIMD3(0.5, 0.5, 0.3), angles: SIMD3(0.2, 0.1, 0))
    let got = resampler.plane(on: target)
    for row in 0..<9 {
      for column in 0..<9 {
        let p = target.position(column: Double(column), row: Double(row))
        #expect(abs(Double(got.plane[column, row]) - (2 * p.x - p.y + 3 * p.z)) < 2e-4)
      }
    }
  }

  @Test func `stripes finer than the grid turn grey instead of coarse stripes`() {
    let stripes = Volume(fine) { sin($0.x * 2 * .pi / 1.9) }
    let target = stack(grid(columns: 14, rows: 14, spacing: (2, 2), center: SIMD3(0, 0, 10)), depths: [0, 4])
    func contrast(_ antialias: Bool) -> Float {
      let plane = Resampler(volume: stripes, onto: target, background: 0, antialias: antialias)
        .plane(on: target.plane).plane
      return (plane.pixels.max() ?? 0) - (plane.pixels.min() ?? 0)
    }
    #expect(contrast(false) > 1.2)
    #expect(contrast(true) < 0.5)
  }

  @Test func `slices that smoothing drew on contribute`() {
    let volume = Volume(noise: fine, seed: 9)
    let target = stack(
      grid(columns: 8, rows: 8, spacing: (0.5, 0.8), center: SIMD3(0, 0, 25)), depths: [0, 5])
    let got = Resampler(volume: volume, onto: target, background: 0).plane(on: target.plane)
    #expect(got.contributingSlices.contains(20))
    #expect(got.contributingSlices.count > 5 && got.contributingSlices.count < 16)
    #expect(got.contributingSlices == Array(got.contributingSlices[0]...got.contributingSlices.last!))
  }

  @Test func `voxels without data do not leak into their neighbours`() {
    var voxels = [Float](repeating: 5, count: 64 * 64 * 40)
    for index in stride(from: 0, to: voxels.count, by: 7) { voxels[index] = .nan }
    let rule = Antialiasing(columnSigma: 1, rowSigma: 1, sliceSigma: 2)
    let resampler = Resampler(
      volume: Volume(grid: fine, voxels: voxels), interpolation: .trilinear, background: 0, antialiasing: rule
    )
    let wrong = resampler.voxels.enumerated().filter { index, value in
      index % 7 == 0 ? !value.isNaN : abs(value - 5) > 1e-5
    }
    #expect(wrong.isEmpty)
  }

  @Test func `every instruction set smooths to the same bits`() {
    let volume = Volume(noise: fine, seed: 9).with(gapsEvery: 13)
    let rule = Antialiasing(columnSigma: 0.7, rowSigma: 1.2, sliceSigma: 2)
    let lattice = Lattice(fine, sliceThickness: nil)
    let bits = [FK_ISA_PORTABLE, FK_ISA_AVX2, FK_ISA_AVX512].filter { $0.rawValue <= fk_best_isa().rawValue }
      .map { volume.smoothed(rule, lattice: lattice, isa: $0).0.voxels.map(\.bitPattern) }
    #expect(Set(bits).count == 1)
  }
}
