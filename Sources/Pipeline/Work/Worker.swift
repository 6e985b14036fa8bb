// The worker process: fuses the slices of one pair at a time and writes part files. It opens no ledger, renames nothing.

import BSAFusion
import DICOM
import Foundation
import Imaging
import Provenance
import Synchronization

/// What `fuseline work` runs. The coordinator starts it and ends it; when the coordinator goes, it goes too.
public final class Worker: Sendable {
  /// Where reports go; standard output itself is turned to standard error, for libraries that print.
  private let reports: Mutex<Int32>
  private let orders = OrderQueue()
  private let model = Mutex<(ModelReference, FusionModel)?>(nil)

  public init() {
    reports = Mutex(dup(STDOUT_FILENO))
    dup2(STDERR_FILENO, STDOUT_FILENO)
  }

  /// Works off tasks until standard input ends.
  public func run() async {
    // A signal to the whole group is the coordinator's to act on; a write to nobody is an error, not an end.
    for number in [SIGTERM, SIGINT, SIGPIPE] { signal(number, SIG_IGN) }
    // Short of memory, the system should end this process and leave the coordinator to record it.
    try? Data("500".utf8).write(to: URL(fileURLWithPath: "/proc/self/oom_score_adj"))
    orders.startReading(from: STDIN_FILENO)
    while case .work(let task)? = orders.next() {
      let report = await answer(task)
      do { try send(report) } catch { return }
    }
  }

  private func send(_ report: WorkReport) throws {
    try reports.withLock { try writeLine(report, to: $0) }
  }

  private func answer(_ task: WorkTask) async -> WorkReport {
    do {
      try await work(task)
      return .done
    } catch is CancellationError {
      return .stopped
    } catch { return .ended(WorkFailure(error)) }
  }

  private func work(_ task: WorkTask) async throws {
    let network = try loaded(task.model)
    let volumes = try PairVolumes(task.pair, settings: task.settings)
    try volumes.checkOverlap()
    let delivery = SliceDelivery(
      volumes: volumes,
      identity: JobIdentity(task.pair, modelSHA256: task.model.card.sha256, settings: task.settings),
      model: task.model.card, settings: task.settings)
    let open = (0..<volumes.slices).filter { !task.published.contains($0) }
    let object = try delivery.registration()
    try send(
      .prepared(
        volumes.preparation(task.settings, object: object?.output), open.map(delivery.planned), object))
    guard case .go? = orders.next() else { throw CancellationError() }
    let output = task.settings.folders.output
    let prepared = PreparedSlices()
    try await WorkerPool.run(count: open.count, workers: task.settings.processing.effectiveWorkers) {
      try SliceFuser(volumes: volumes, model: network, settings: task.settings, prepared: prepared)
    } body: { fuser, position in
      if self.orders.isStopped { throw CancellationError() }
      let slice = try fuser.fuse(slice: open[position])
      FaultPoint.reach(.sliceFused)
      var watch = LapTimer()
      let capture = try delivery.capture(slice)
      let written = try CaptureFile.write(capture, part: output + "/" + delivery.path(capture).part)
      let writing = watch.lap()
      FaultPoint.reach(.partWritten)
      try self.send(
        .written(
          delivery.publication(
            slice,
            SlicePublication.Output(
              sopInstanceUID: capture.identity.sopInstanceUID, path: delivery.path(capture).relative,
              sha256: written.sha256, size: written.size), writtenIn: writing)))
    }
  }

  /// Weights are read once and kept for the next pair that wants the same.
  private func loaded(_ reference: ModelReference) throws -> FusionModel {
    try model.withLock { known in
      if let (last, network) = known, last == reference { return network }
      let network = try ModelLibrary.load(reference)
      known = (reference, network)
      return network
    }
  }
}

/// Orders as they come in; read by a thread of its own, so that a stop is heard while slices are fused.
private final class OrderQueue: Sendable {
  private let waiting = Mutex<[WorkOrder]>([])
  private let stopped = Atomic<Bool>(false)
  private let arrived = DispatchSemaphore(value: 0)

  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  func startReading(from descriptor: Int32) {
    let thread = Thread { [self] in
      var reader = LineReader(descriptor: descriptor)
      while true {
        while let line = reader.takeLine() { take(line) }
        // The coordinator has closed its end or has gone: whatever is under way is for nobody.
        if !reader.fill() { _exit(0) }
      }
    }
    thread.start()
  }

  private func take(_ line: [UInt8]) {
    guard let order = try? JSONDecoder().decode(WorkOrder.self, from: Data(line)) else { _exit(70) }
    switch order {
    case .stop: return stopped.store(true, ordering: .relaxed)
    // A stop belongs to one task only.
    case .work: stopped.store(false, ordering: .relaxed)
    case .go: break
    }
    waiting.withLock { $0.append(order) }
    arrived.signal()
  }

  /// The next task, or the word to go on with the one under way.
  func next() -> WorkOrder? {
    arrived.wait()
    return waiting.withLock { $0.removeFirst() }
  }
}
