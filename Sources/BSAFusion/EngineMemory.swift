// Memory of an engine, made ready on another thread while the model is read – for a program that fuses a single pair.

internal import Dispatch
internal import FoundationEssentials
internal import Tensors

/// The workspace of an engine before there is one, and the thread that makes it ready and then helps with the pass.
///
/// `@unchecked`: the system backs it with memory, which nobody writes to, until the one engine waits for it.
public final class EngineMemory: @unchecked Sendable {
  /// Where things are made ready, one after the other, beside the thread that will use them.
  static let queue = DispatchQueue(label: "fuseline.ahead", qos: .userInitiated)

  let side: Int
  private let workspace: Workspace
  private let task = DispatchGroup()

  /// Begins to make it ready. Nil for a side that no engine takes.
  public init?(side: Int) {
    guard FusionEngine.takes(side: side) else { return nil }
    self.side = side
    workspace = Workspace(capacity: WorkspacePlan.floats(side: side))
    Self.queue.async(group: task) { [workspace = Unshared(workspace)] in
      workspace.value.populate()
    }
  }

  /// The workspace, when it is ready. The thread that made it so then takes half of the large layers.
  func take() -> Workspace {
    task.wait()
    if ProcessInfo.processInfo.activeProcessorCount > 1 { workspace.second = SecondThread(queue: Self.queue) }
    return workspace
  }

  private struct Unshared: @unchecked Sendable {
    let value: Workspace
    init(_ value: Workspace) { self.value = value }
  }
}
