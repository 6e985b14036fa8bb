// Runs slices on as many workers as there are cores; each worker has its own engine, all share the volumes.

import Synchronization

/// Applies a body to 0..<count with a fixed number of workers that each prepare a state of their own once.
enum WorkerPool {
  /// - Parameters:
  ///   - prepare: makes one worker's state; runs on the worker.
  ///   - body: does one index. The first error ends all workers after the index they are at.
  static func run<State>(
    count: Int, workers: Int, prepare: @escaping @Sendable () throws -> State,
    body: @escaping @Sendable (State, Int) throws -> Void
  ) async throws {
    let next = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<max(1, min(workers, count)) {
        group.addTask { @concurrent in
          let state = try prepare()
          while let index = next.take(below: count) {
            try Task.checkCancellation()
            try body(state, index)
            // Lets the lease be renewed and signals be heard while all cores work.
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
  }
}

/// Hands out 0, 1, 2, … to whoever asks.
private final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  func take(below limit: Int) -> Int? {
    let index = value.add(1, ordering: .relaxed).oldValue
    return index < limit ? index : nil
  }
}

/// Counts finished pieces of work from several workers.
final class SharedCounter: Sendable {
  private let value: Atomic<Int>

  init(_ start: Int) { value = Atomic(start) }

  /// The count after adding one.
  func increment() -> Int { value.add(1, ordering: .relaxed).newValue }
}
