// How far a run has come; who shows it, and where, is the program's business.

/// Something a person waiting for a run wants to see.
public enum ProgressEvent: Sendable {
  case takingIn(done: Int, of: Int)
  case registering(pair: String)
  case fusing(pair: String, done: Int, of: Int)
  case finished
}

public typealias ProgressHandler = @Sendable (ProgressEvent) -> Void
