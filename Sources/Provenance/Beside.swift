// A piece of work on another thread, for a method that blocks anyway; not for use between tasks.

internal import Dispatch
internal import Synchronization

/// Begins at once.
final class Beside<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let group = DispatchGroup()

  init(_ work: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async(group: group) {
      let outcome = Result { try work() }
      self.result.withLock { $0 = outcome }
    }
  }

  func wait() { group.wait() }

  /// Waits for the outcome.
  func value() throws -> Value {
    wait()
    guard let outcome = result.withLock({ $0 }) else { preconditionFailure("finished work has an outcome") }
    return try outcome.get()
  }
}
