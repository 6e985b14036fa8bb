// One session of the watcher: intake, also while a job is fused, the studies that have settled, and signs of life.

import Foundation
import Logging
import Provenance
import Synchronization

struct WatchLoop {
  /// Longest sleep between two looks at events, clock and space, seconds.
  private static let longestSleep = 0.5

  let session: CoordinatorSession
  let context: RunContext
  let drops: DropWatch
  private let settling: Settling
  private let failure = Failure()
  private let bulletin: Bulletin
  private let pass = ScheduledPass()

  init(session: CoordinatorSession, context: RunContext) {
    self.session = session
    self.context = context
    drops = DropWatch(intake: session.intake, alerts: session.alerts, context: context)
    settling = Settling(seconds: context.settings.watch.settleTime, uptime: context.uptime)
    bulletin = Bulletin(context: context, drops: drops)
  }

  /// Goes round until the task is cancelled.
  func run() async throws {
    let settings = context.settings
    session.supervision.attach(
      Supervision.Loop(
        reason: { [context, failure] in
          if failure.isSet { return .interrupted }
          if settings.schedule.isOver(at: context.now()) { return .windowClosed }
          return FreeSpace(settings: settings).shortage() == nil ? nil : .lowSpace
        },
        beside: { [context, drops, failure, bulletin] in
          context.notifier.beat()
          failure.keep { try drops.round() }
          bulletin.update()
        }))
    if try session.ledger.mark(WatchMark.pass) == nil {
      try session.ledger.setMark(WatchMark.pass, to: context.now())
    }
    context.logger.notice("ready")
    context.notifier.ready()
    while true {
      try Task.checkCancellation()
      context.notifier.beat()
      try drops.round()
      bulletin.update()
      if try isOpen() { try await workInPass() }
      try session.signIfDue()
      try session.retainIfDue()
      try failure.rethrow()
      if !drops.isBusy { try await Task.sleep(for: .seconds(Self.longestSleep)) }
    }
  }

  /// May studies be worked off now? A pass that cron asked for begins with that.
  private func isOpen() throws -> Bool {
    guard session.supervision.stopReason() == nil else { return false }
    let settings = context.settings
    let now = context.now()
    var lastPass = try session.ledger.mark(WatchMark.pass) ?? now
    if lastPass > now {
      // Made by a clock that has been put back since: no pass would be due until it gets there again.
      lastPass = now
      try session.ledger.setMark(WatchMark.pass, to: now)
    }
    guard settings.schedule.isOpen(at: now, lastPass: lastPass) else { return false }
    if case .cron = settings.schedule,
      pass.begin(at: now, uptime: context.uptime(), interval: settings.watch.interval)
    {
      context.logger.notice("a scheduled pass begins")
    }
    return true
  }

  /// On record is a pass that is over, so that one cut short is made again.
  private func workInPass() async throws {
    let uptime = context.uptime()
    // Before the work: the studies of files that are taken in beside it are not among those it looks at.
    let hasFiles = pass.firstLook.map(drops.hasFiles) ?? false
    guard let unsettled = try await work(), session.supervision.stopReason() == nil else { return }
    if let begin = pass.end(by: uptime, hasFiles: hasFiles, unsettled: unsettled) {
      try session.ledger.setMark(WatchMark.pass, to: begin)
      context.logger.notice("the scheduled pass is over")
    }
  }

  /// - Returns: studies that had not settled; nil where not all could be done that was due.
  private func work() async throws -> Set<String>? {
    do {
      var unsettled: Set<String> = []
      let retry = RetryTime(now: context.now(), longestPause: context.settings.retry.longestPause)
      _ = try await session.workOff(retry: retry) { study in
        if settling.isSettled(study) { return !drops.holds(study: study.uid) }
        unsettled.insert(study.uid)
        return false
      }
      context.progress(.finished)
      return unsettled
    } catch let error as CancellationError {
      // Work is also told to stop when intake beside it has failed.
      try failure.rethrow()
      throw error
    } catch let error where error is ModelError || error is FileError || error is DiskFull {
      // Intake goes on; the pairs wait until somebody has made room or put the model back.
      context.logger.error("pairs wait", metadata: ["why": "\(error)"])
      session.alerts.raise(Alert(kind: .waiting, reason: "pairs_wait", sentence: "\(error)"))
      for _ in 0..<Int(context.settings.watch.interval / Self.longestSleep) {
        context.notifier.beat()
        try drops.round()
        try await Task.sleep(for: .seconds(Self.longestSleep))
      }
      return nil
    }
  }
}

/// An error from beside a job, to be thrown once the job has been put down.
private final class Failure: Sendable {
  private let first = Mutex<(any Error)?>(nil)

  var isSet: Bool { first.withLock { $0 != nil } }

  func keep(_ body: () throws -> Void) {
    do { try body() } catch { first.withLock { $0 = $0 ?? error } }
  }

  func rethrow() throws {
    if let error = first.withLock({ $0 }) { throw error }
  }
}

/// Since when a study got no image, by a clock that nobody sets.
final class Settling: Sendable {
  private let seconds: Double
  private let uptime: @Sendable () -> Double
  private let quietSince = Mutex<[String: (arrivals: Int64, since: Double)]>([:])

  init(seconds: Double, uptime: @escaping @Sendable () -> Double) {
    self.seconds = seconds
    self.uptime = uptime
  }

  func isSettled(_ study: DueStudy) -> Bool {
    quietSince.withLock { known in
      let now = uptime()
      if let (arrivals, since) = known[study.uid], arrivals == study.arrivals {
        return now - since >= seconds
      }
      known[study.uid] = (study.arrivals, now)
      return seconds <= 0
    }
  }
}

/// Publishes metrics and the line for `systemctl status` every interval.
private final class Bulletin: Sendable {
  private let context: RunContext
  private let drops: DropWatch
  private let publisher: MetricsPublisher
  private let next = Mutex(-Double.infinity)

  init(context: RunContext, drops: DropWatch) {
    self.context = context
    self.drops = drops
    publisher = MetricsPublisher(settings: context.settings.metrics, logger: context.logger)
  }

  func update() {
    let isDue = next.withLock { next in
      guard context.uptime() >= next else { return false }
      next = context.uptime() + max(context.settings.watch.interval, 5)
      return true
    }
    // What cannot be read now is told the next time.
    guard isDue, let report = try? StatusReport(settings: context.settings, now: context.now()) else {
      return
    }
    let numbers = drops.numbers
    publisher.publish(Metrics(numbers, report, now: context.now()).description)
    let state = numbers.isIntakePaused ? "waiting for disk space; " : ""
    context.notifier.status(
      "\(state)\(numbers.inboxFiles) files in the drop folder, \(report.studiesWaiting) studies waiting, "
        + "\(report.queue.dead) dead letters")
  }
}
