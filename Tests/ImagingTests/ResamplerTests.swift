// The resampler against its naive twin on awkward stacks, and its promises at borders, gaps and exact hits.

import CKernels
import Testing

@testable import Imaging

private let stacks: [(name: String, grid: VolumeGrid)] = [
  ("one voxel", stack(grid(columns: 1, rows: 1, spacing: (1, 1)), depths: [0])),
  ("one slice", stack(grid(columns: 7, rows: 5, spacing: (1.5, 2)), depths: [0])),
  ("two slices", stack(grid(columns: 2, rows: 3, spacing: (1, 1)), depths: [-2, 2])),
  (
    "even", stack(grid(columns: 17, rows: 13, spacing: (0.9, 1.1)), depths: (-3...3).map { 2.5 * Double($0) })
  ),
  (
    "uneven",
    stack(
      grid(columns: 9, rows: 11, spacing: (1.3, 1), angles: SIMD3(0.2, 0.4, -1)),
      depths: [-6, -5, -1, 0.5, 6])
  ),
  (
    "tilted",
    stack(
      grid(columns: 12, rows: 8, spacing: (1, 1.2), angles: SIMD3(1.5, 0, 0.3)), depths: [-4, -2, 0, 2, 4],
      shear: 0.4)
  ),
  (
    "uneven and tilted",
    stack(grid(columns: 8, rows: 8, spacing: (1, 1)), depths: [-4, -3.5, -1, 2, 4], shear: -0.5)
  ),
]
private let targets: [PlaneGrid] = [
  grid(columns: 31, rows: 17, spacing: (0.7, 0.7)),
  grid(
    columns: 17, rows: 31, spacing: (0.8, 0.6), center: SIMD3(0.3, -0.4, 1.1), angles: SIMD3(0.7, -0.5, 0.2)),
  grid(columns: 7, rows: 1, spacing: (2, 2), angles: SIMD3(1.57, 0, 0)),
  grid(columns: 300, rows: 2, spacing: (0.05, 0.3), angles: SIMD3(0.01, 0.02, 0)),
]
private let turn = RigidTransform(rotation: SIMD3(0.2, -0.1, 0.3), translation: SIMD3(0.5, -0.25, 0.4))

@Suite struct ResamplerTests {
  @Test(arguments: Interpolation.allCases, stacks.map(\.name))
  func `kernels agree with the naive twin`(interpolation: Interpolation, name: String) throws {
    let volume = Volume(noise: try #require(stacks.first { $0.name == name }).grid, seed: 7)
    let naive = NaiveResampler(volume: volume, interpolation: interpolation)
    let resampler = Resampler(volume: volume, interpolation: interpolation, background: -1)
    for (target, transform) in targets.flatMap({ [($0, RigidTransform.identity), ($0, turn)] }) {
      let expected = naive.plane(on: target, transform: transform)
      let got = resampler.plane(on: target, transform: transform)
      #expect(got.inside == expected.inside)
      let worst = zip(got.plane.pixels, expected.pixels).map { abs($0 - $1) }.max() ?? 0
      #expect(worst < 2e-5)
    }
  }

  @Test(arguments: Interpolation.allCases)
  func `every instruction set gives the same bits`(interpolation: Interpolation) {
    for case (_, let grid) in stacks {
      let volume = Volume(noise: grid, seed: 3).with(gapsEvery: 11)
      let bits = [FK_ISA_PORTABLE, FK_ISA_AVX2, FK_ISA_AVX512].filter {
        $0.rawValue <= fk_best_isa().rawValue
      }.map {
        var resampler = Resampler(volume: volume, interpolation: interpolation, background: -1)
        resampler.isa = $0
        return targets.flatMap { resampler.plane(on: $0, transform: turn).plane.pixels.map(\.bitPattern) }
      }
      #expect(Set(bits).count == 1)
    }
  }

  @Test(arguments: stacks.map(\.name))
  func `voxels without data leave the mean of the others or nothing`(name: String) throws {
    let grid = try #require(stacks.first { $0.name == name }).grid
    let volume = Volume(noise: grid, seed: 5).with(gapsEvery: 5)
    let expected = targets.map { NaiveResampler(volume: volume, interpolation: .trilinear).plane(on: $0) }
    for interpolation in Interpolation.allCases {
      let resampler = Resampler(volume: volume, interpolation: interpolation, background: -1)
      for (target, expected) in zip(targets, expected) {
        let got = resampler.plane(on: target)
        let disagreements = zip(got.inside, expected.inside).filter { $0 != $1 }.count
        #expect(disagreements == 0)
        let finite = got.plane.pixels.filter(\.isFinite).count
        #expect(finite == got.plane.pixels.count)
        guard interpolation == .trilinear else { continue }
        let worst = zip(got.plane.pixels, expected.pixels).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 1e-5)
      }
    }
  }

  @Test(arguments: Interpolation.allCases)
  func `a slice of the volume itself comes back as it is`(interpolation: Interpolation) {
    for case (_, let grid) in stacks {
      let volume = Volume(noise: grid, seed: 11)
      let resampler = Resampler(volume: volume, interpolation: interpolation, background: -1)
      for slice in 0..<grid.slices {
        let got = resampler.plane(on: grid.planeGrid(slice: slice))
        #expect(got.insideFraction == 1)
        #expect(got.contributingSlices == [slice])
        let worst = zip(got.plane.pixels, volume.plane(slice: slice).pixels).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= (interpolation == .trilinear ? 0 : 2e-6))
      }
    }
  }

  @Test func `slices that a plane lies between contribute and no others`() {
    let volume = Volume(
      noise: stack(grid(columns: 9, rows: 9, spacing: (1, 1)), depths: (0..<6).map { 3 * Double($0) }),
      seed: 1)
    let plane = grid(columns: 9, rows: 9, spacing: (1, 1), center: SIMD3(0, 0, 7))
    let linear = Resampler(volume: volume, interpolation: .trilinear, background: 0)
    #expect(linear.plane(on: plane).contributingSlices == [2, 3])
    let cubic = Resampler(volume: volume, interpolation: .cubicBSpline, background: 0)
    #expect(cubic.plane(on: plane).contributingSlices == [1, 2, 3, 4])
    let beyond = grid(columns: 9, rows: 9, spacing: (1, 1), center: SIMD3(0, 0, 16.4))
    #expect(linear.plane(on: beyond).contributingSlices == [5])
    let away = linear.plane(on: grid(columns: 9, rows: 9, spacing: (1, 1), center: SIMD3(0, 0, 16.6)))
    #expect(away.contributingSlices == [] && away.insideFraction == 0)
    #expect(Set(away.plane.pixels) == [0])
  }

  @Test func `a slice that only outside pixels meet does not contribute`() {
    let volume = Volume(
      noise: stack(grid(columns: 5, rows: 5, spacing: (1, 1)), depths: (0..<20).map(Double.init)), seed: 1)
    // A steep row: it leaves the field of view 2.5 mm from its middle, 0.96 mm deeper.
    let steep = grid(
      columns: 41, rows: 1, spacing: (1, 1), center: SIMD3(0, 0, 10), angles: SIMD3(0, -0.5, 0))
    let got = Resampler(volume: volume, interpolation: .trilinear, background: 0).plane(on: steep)
    #expect(got.contributingSlices == [9, 10, 11])
  }

  @Test func `a single slice reaches half its thickness`() {
    let slice = Volume(noise: stack(grid(columns: 4, rows: 4, spacing: (1, 1)), depths: [10]), seed: 2)
    let at = { (z: Double) in grid(columns: 4, rows: 4, spacing: (1, 1), center: SIMD3(0, 0, z)) }
    let thick = Resampler(volume: slice, interpolation: .trilinear, background: 0, sliceThickness: 5)
    #expect(thick.plane(on: at(12.4)).insideFraction == 1)
    #expect(thick.plane(on: at(12.6)).insideFraction == 0)
    let unknown = Resampler(volume: slice, interpolation: .trilinear, background: 0)
    #expect(unknown.plane(on: at(10)).insideFraction == 1)
    #expect(unknown.plane(on: at(10.1)).insideFraction == 0)
  }

  @Test(arguments: Interpolation.allCases)
  func `a constant stays constant to the edge of the field of view`(interpolation: Interpolation) {
    for case (_, let grid) in stacks {
      let resampler = Resampler(
        volume: Volume(grid) { _ in 42 }, interpolation: interpolation, background: -1)
      for target in targets {
        let got = resampler.plane(on: target, transform: turn)
        let wrong = zip(got.plane.pixels, got.inside).filter { abs($0 - ($1 ? 42 : -1)) > 2e-5 }.count
        #expect(wrong == 0)
      }
    }
  }

  @Test func `moving volume and plane together changes nothing`() {
    let field = smoothField(seed: 4)
    let still = stack(grid(columns: 20, rows: 18, spacing: (2, 2.2)), depths: [-9, -6, -2, 3, 8], shear: 0.2)
    let movedPlane = PlaneGrid(
      columns: 20, rows: 18, origin: .zero, rowDirection: turn.rotate(still.plane.rowDirection),
      columnDirection: turn.rotate(still.plane.columnDirection), columnSpacing: 2, rowSpacing: 2.2)
    let moved = VolumeGrid(plane: movedPlane, origins: still.origins.map { turn($0) })
    let voxels = Volume(still, field).voxels
    let target = grid(columns: 25, rows: 25, spacing: (1.1, 1.1), angles: SIMD3(0.3, 0, 0.1))
    for interpolation in Interpolation.allCases {
      let a = Resampler(
        volume: Volume(grid: still, voxels: voxels), interpolation: interpolation, background: 0)
      let b = Resampler(
        volume: Volume(grid: moved, voxels: voxels), interpolation: interpolation, background: 0)
      let worst =
        zip(
          a.plane(on: target).plane.pixels, b.plane(on: target, transform: turn).plane.pixels
        ).map { abs($0 - $1) }.max() ?? 1
      #expect(worst < 1e-5)
    }
  }
}

extension Volume {
  /// Every n-th voxel and the first quarter without data.
  func with(gapsEvery n: Int) -> Volume {
    let gapped = voxels.enumerated().map { index, value in
      index % n == n - 1 ? .infinity : (index < voxels.count / 4 ? .nan : value)
    }
    return Volume(grid: grid, voxels: gapped)
  }
}
