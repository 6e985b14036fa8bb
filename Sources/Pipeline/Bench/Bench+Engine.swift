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

  /// Every worker fuses pairs for the length of a window. Seconds of wall time are those between two results of the whole
  /// machine: the workers' rates add up.
  func engines() async throws -> BenchPart {
    let workers = settings.processing.effectiveWorkers
    let model = try loadModel(), (fixed, moving) = planes()
    let engines = try (0..<workers).map { _ in EngineBox(try FusionEngine(model: model, side: side)) }
    var measured: [Elapsed] = []
    for _ in 0...windows {
      let start = Elapsed.now()
      let rounds = try await withThrowingTaskGroup(of: (wall: Double, pairs: Int).self) { group in
        for box in engines {
          group.addTask { @concurrent in
            let start = Elapsed.now()
            var pairs = 0
            repeat {
              _ = try box.engine.fuse(fixed: fixed, moving: moving)
              pairs += 1
            } while start.untilNow.wall < seconds
            return (start.untilNow.wall, pairs)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let rate = rounds.reduce(0) { $0 + Double($1.pairs) / $1.wall }
      let pairs = Double(rounds.reduce(0) { $0 + $1.pairs })
      measured.append(Elapsed(wall: 1 / rate, cpu: start.untilNow.cpu / pairs))
    }
    // The first window meets workspaces that nobody has touched yet.
    return BenchPart(
      Part.engines.rawValue, piece: pair, workers: workers, windows: Array(measured.dropFirst()))
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
