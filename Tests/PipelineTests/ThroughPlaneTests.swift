// Deformations averaged along the normal, and the slices that workers share for it.

import Imaging
import Synchronization
import Testing

@testable import BSAFusion
@testable import Pipeline

/// A slice of 2 × 2 pixels whose field is one displacement everywhere.
private func slice(_ dx: Float, inside: [Bool] = [true, true, true, true], accepted: Bool = true) throws
  -> PreparedSlice
{
  let plane = Plane(columns: 2, rows: 2)
  let grid = PlaneGrid(
    columns: 2, rows: 2, origin: .zero, rowDirection: SIMD3(1, 0, 0), columnDirection: SIMD3(0, 1, 0),
    columnSpacing: 1, rowSpacing: 1)
  let flow = Flow(dx: Plane(columns: 2, rows: 2, repeating: dx), dy: plane)
  return PreparedSlice(
    planes: SlicePlanes(
      grid: grid, fixed: plane, moving: plane, inside: inside, insideFraction: 1, movingSlices: []),
    picture: nil, input: plane,
    alignment: SliceAlignment(
      flow: flow, features: SliceFeatures(side: FusionEngine.sideStep, spare: .init())),
    baseline: .init(fixed: plane, moving: plane, inside: inside),
    record: SliceRecord(
      meanMillimetres: 0, maxMillimetres: 0, folding: 0, similarityBefore: 0, similarityAfter: 0,
      accepted: accepted, reason: nil, coverage: 1, averaged: [0], seconds: 0, timings: SliceTimings()))
}

@Suite struct ThroughPlaneTests {
  private let depths = (0..<9).map { 2.0 * Double($0) }

  private func field(_ index: Int, _ slices: [PreparedSlice], sigma: Double = 2) -> Flow? {
    let mean = ThroughPlane(sigma: sigma)
    let window = mean.window(of: index, depths: depths)
    return mean.field(of: index, window: window, slices: window.map { slices[$0] }, depths: depths)
  }

  @Test func `a window ends two deviations away, at the end of the stack, and at the slice itself when off`()
  {
    #expect(ThroughPlane(sigma: 2).window(of: 4, depths: depths) == [2, 3, 4, 5, 6])
    #expect(ThroughPlane(sigma: 2).window(of: 0, depths: depths) == [0, 1, 2])
    #expect(ThroughPlane(sigma: 0).window(of: 4, depths: depths) == [4])
    #expect(ThroughPlane(sigma: 3).window(of: 1, depths: [0, 7, 14]) == [1])
  }

  @Test func `a field that changes evenly stays as it is, one that jumps is evened out`() throws {
    let even = try (0..<9).map { try slice(Float($0)) }
    let kept = try #require(field(4, even))
    #expect(kept.dx.pixels.allSatisfy { abs($0 - 4) < 1e-5 })
    let jumping = try (0..<9).map { try slice($0.isMultiple(of: 2) ? 1 : -1) }
    let evened = try #require(field(4, jumping))
    // (1 + 2·e⁻² - 2·e^-½) / (1 + 2·e⁻² + 2·e^-½)
    #expect(evened.dx.pixels.allSatisfy { abs($0 - 0.0231) < 1e-3 })
  }

  @Test func `slices whose field was refused and pixels without moving data have no say`() throws {
    var slices = try (0..<9).map { _ in try slice(1) }
    slices[3] = try slice(50, accepted: false)
    slices[5] = try slice(9, inside: [true, false, false, false])
    #expect(ThroughPlane.voices([2, 3, 4, 5, 6], Array(slices[2...6])).map(\.0) == [2, 4, 5, 6])
    let mean = try #require(field(4, slices))
    #expect(mean.dx.pixels[0] > 2 && mean.dx.pixels[1...].allSatisfy { abs($0 - 1) < 1e-5 })
    slices = try (0..<9).map { try slice(1, accepted: $0 == 4) }
    #expect(field(4, slices) == nil)
  }

  @Test func `a slice whose own field was refused takes its neighbours'`() throws {
    let slices = try (0..<9).map { try slice($0 == 4 ? 50 : 2, accepted: $0 != 4) }
    let mean = try #require(field(4, slices))
    #expect(mean.dx.pixels.allSatisfy { abs($0 - 2) < 1e-5 })
  }

  @Test func `several workers make every slice once and keep a window of them`() async throws {
    let prepared = PreparedSlices()
    let made = Mutex<[Int: Int]>([:])
    let seen = Mutex<[Int: [Float]]>([:])
    let most = Mutex(0)
    let count = 60
    try await WorkerPool.run(count: count, workers: 4) {
    } body: { _, index in
      let window = Array(max(0, index - 3)...min(count - 1, index + 3))
      try prepared.around(index, window: window) { index in
        made.withLock { $0[index, default: 0] += 1 }
        return try slice(Float(index))
      } body: { slices in
        seen.withLock { $0[index] = slices.map { $0.alignment.flow.dx.pixels[0] } }
        most.withLock { $0 = max($0, prepared.count) }
      }
    }
    #expect(seen.withLock { $0.count } == count)
    for (index, values) in seen.withLock({ $0 }) {
      #expect(values == (max(0, index - 3)...min(count - 1, index + 3)).map(Float.init))
    }
    #expect(made.withLock { $0.count } == count)
    #expect(most.withLock { $0 } <= 7 * (4 + 1))
  }

  @Test func `a slice that cannot be made is an error for everyone who needs it`() {
    let prepared = PreparedSlices()
    for _ in 0..<2 {
      #expect(throws: PairRefusal.self) {
        try prepared.around(0, window: [0, 1]) { _ in
          throw PairRefusal(reason: Refusal("x", "y"))
        } body: { _ in
        }
      }
    }
  }
}
