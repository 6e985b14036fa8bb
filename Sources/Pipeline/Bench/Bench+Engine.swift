// Pairs of synthetic slices through one engine, and through one engine a core.

import BSAFusion
import Imaging

extension Bench {
  /// The side of the network's square, as the settings have it.
  private var side: Int { settings.grid.side }
  private var pair: String { "pair of \(side)×\(side)" }

  func engine() throws -> BenchPart {
    let engine = try FusionEngine(model: loadModel(), side: side)
    let (fixed, moving) = planes()
    let windows = try windows { _ = try engine.fuse(fixed: fixed, moving: moving) }
    return BenchPart(Part.engine.rawValue, piece: pair, windows: windows)
  }

  /// Seconds are per pair of the whole machine: wall time of a round / pairs of all workers.
  func engines() async throws -> BenchPart {
    let workers = settings.processing.effectiveWorkers
    let model = try loadModel(), (fixed, moving) = planes()
    let engines = try (0..<workers).map { _ in EngineBox(try FusionEngine(model: model, side: side)) }
    let probe = try Elapsed.measure { _ = try engines[0].engine.fuse(fixed: fixed, moving: moving) }.1
    let each = max(2, Int(seconds / probe.wall / 2))
    var measured: [Elapsed] = []
    for _ in 0..<windows {
      let start = Elapsed.now()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for box in engines {
          group.addTask { @concurrent in
            for _ in 0..<each { _ = try box.engine.fuse(fixed: fixed, moving: moving) }
          }
        }
        try await group.waitForAll()
      }
      let spent = start.untilNow, count = Double(each * workers)
      measured.append(Elapsed(wall: spent.wall / count, cpu: spent.cpu / count))
    }
    return BenchPart(Part.engines.rawValue, piece: pair, workers: workers, windows: measured)
  }

  private func planes() -> (Plane, Plane) {
    let head = SyntheticHead(side: side)
    return (head.plane(slice: 0, contrast: 0.7), head.plane(slice: 1, contrast: 0.4))
  }
}

/// Hands an engine to one task for the length of a round.
///
/// `@unchecked`: every box is used by one task at a time, and rounds do not overlap.
private final class EngineBox: @unchecked Sendable {
  let engine: FusionEngine
  init(_ engine: FusionEngine) { self.engine = engine }
}
