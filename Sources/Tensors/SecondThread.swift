// A second thread for the layers of one pass – for a program that fuses a single pair and has a core to spare.

public import Dispatch
internal import Glibc
internal import Synchronization

/// Does the second half of a layer while the engine's thread does the first.
///
/// Its queue may have other work first. What it has not begun when the first half is done, the engine's thread does as
/// well: only a half that was begun is waited for. Every value of the result is that of one thread.
public final class SecondThread {
  /// Products of a layer from which dividing it pays: some tens of microseconds.
  static let fewestProducts = 2_000_000

  private let queue: DispatchQueue
  /// What the second half works in; grows to what the largest layer needs.
  private var memory = Workspace(capacity: 0)
  private var watch: Watch?

  public init(queue: DispatchQueue) { self.queue = queue }

  /// Runs `body`, whose layers the other thread helps with as soon as its queue is free.
  ///
  /// The thread stays awake until then: woken for each layer it helps half as much.
  public func standBy<Result, Failure: Error>(
    during body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let watch = Watch(instructions: Machine.instructions)
    self.watch = watch
    queue.async { watch.stand() }
    defer {
      watch.end()
      self.watch = nil
    }
    return try body()
  }

  /// Floats that a second half may work in where the workspace has none left; valid until it is asked for again.
  func room(for count: Int) -> UnsafeMutablePointer<Float> {
    if !memory.hasRoom(for: count) { memory = Workspace(capacity: count + 2 * Workspace.slack) }
    return memory.scope { memory.floats(count) }
  }

  /// Runs `first` here and `second` on the other thread or, if that is busy, after it here.
  func run(_ first: () -> Void, _ second: @escaping () -> Void) {
    guard let watch else {
      first()
      return second()
    }
    watch.offer(second)
    first()
    watch.settle()
  }
}

/// What two threads tell each other during one pass.
///
/// `@unchecked`: `work` is written before it is offered, and read only by the thread that took it; nothing is offered
/// before the last piece is done.
private final class Watch: @unchecked Sendable {
  private enum Stage {
    static let none = 0, offered = 1, taken = 2, done = 3, over = 4
  }
  /// Looks between two offers of the core to other threads.
  private static let looks = 200

  private let stage = Atomic(Stage.none)
  private let instructions: Machine.InstructionSet
  private var work: () -> Void = {}

  init(instructions: Machine.InstructionSet) { self.instructions = instructions }

  func offer(_ work: @escaping () -> Void) {
    self.work = work
    stage.store(Stage.offered, ordering: .releasing)
  }

  /// Has what was offered done, by the other thread or, where that has not begun, here.
  func settle() {
    if !take(leaving: Stage.none) {
      wait { $0 == Stage.done }
      stage.store(Stage.none, ordering: .relaxed)
      return
    }
    work()
  }

  func end() { stage.store(Stage.over, ordering: .releasing) }

  /// The other thread: does what is offered until the pass is over.
  func stand() {
    let own = Machine.instructions
    if own != instructions { Machine.use(instructions) }
    defer { if own != instructions { Machine.use(own) } }
    while wait({ $0 == Stage.offered || $0 == Stage.over }) != Stage.over {
      guard take(leaving: Stage.taken) else { continue }
      work()
      stage.store(Stage.done, ordering: .releasing)
    }
  }

  private func take(leaving next: Int) -> Bool {
    stage.compareExchange(expected: Stage.offered, desired: next, ordering: .acquiringAndReleasing).exchanged
  }

  @discardableResult
  private func wait(_ awaited: (Int) -> Bool) -> Int {
    while true {
      for _ in 0..<Self.looks {
        let now = stage.load(ordering: .acquiring)
        if awaited(now) { return now }
      }
      sched_yield()
    }
  }
}
