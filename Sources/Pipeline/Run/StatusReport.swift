// How the installation is doing, on one screen: read from ledger, folders and disks; writes nothing.

public import Foundation
public import Provenance

/// The answer of `fuseline status`.
public struct StatusReport: Encodable, Sendable {
  public struct Coordinator: Encodable, Sendable {
    public let pid: Int32
    public let host: String
    public let since: String
    /// Is the lease still valid?
    public let alive: Bool
  }
  public struct Inbox: Encodable, Sendable {
    public var files = 0
    public var bytes: Int64 = 0
    /// Age of the file that was changed longest ago, seconds.
    public var oldestSeconds: Double?
    /// Can the drop folder be read?
    public var isReadable = true

    enum CodingKeys: String, CodingKey {
      case files, bytes
      case oldestSeconds = "oldest_seconds"
      case isReadable = "readable"
    }
  }
  public struct Schedule: Encodable, Sendable {
    /// May pairs be fused now?
    public let open: Bool
    /// When pairs may next begin to be fused, nil where they may at any time.
    public let next: String?
  }
  public struct Rate: Encodable, Sendable {
    /// Slices published in the last hour and day.
    public let hour: Int
    public let day: Int
  }

  public let time: String
  public let coordinator: Coordinator?
  public let inbox: Inbox
  /// Studies with images that have not been worked off.
  public let studiesWaiting: Int
  public let queue: QueueStatus
  public let rate: Rate
  public let lastRun: RunLine?
  public let schedule: Schedule
  public let disks: [DiskSpace]
  /// Jobs that were given up, the newest first, ten at most.
  public let deadLetters: [DeadLetter]

  enum CodingKeys: String, CodingKey {
    case time, coordinator, inbox, queue, rate, schedule, disks
    case studiesWaiting = "studies_waiting"
    case lastRun = "last_run"
    case deadLetters = "dead_letters"
  }

  /// Does something need a person?
  public var needsAttention: Bool { queue.dead > 0 || disks.contains(where: \.isLow) || !inbox.isReadable }
}

extension StatusReport {
  /// - Throws: `LedgerError` where there is no ledger yet or it cannot be read.
  public init(settings: Settings, now: Date = Date()) throws {
    let ledger = try Ledger.openReadOnly(path: settings.ledger, clock: { now })
    time = Timestamp.text(now)
    coordinator = try ledger.lease().map {
      Coordinator(
        pid: $0.owner.pid, host: $0.owner.host, since: $0.acquired, alive: $0.expires > Timestamp.text(now))
    }
    inbox = Inbox(DropFolder(path: settings.folders.inbox, ignore: settings.intake.ignore), now: now)
    studiesWaiting = try ledger.studiesToDo()
    queue = try ledger.queue()
    rate = Rate(
      hour: try ledger.slicesPublished(since: now.addingTimeInterval(-3600)),
      day: try ledger.slicesPublished(since: now.addingTimeInterval(-86_400)))
    lastRun = try ledger.lastRun()
    let lastPass = try ledger.mark(WatchMark.pass) ?? now
    schedule = Schedule(
      open: settings.schedule.isOpen(at: now, lastPass: lastPass),
      next: settings.schedule.nextOpening(after: now).map(Timestamp.text))
    disks = FreeSpace(settings: settings).disks()
    deadLetters = try ledger.newestDeadLetters(limit: 10)
  }
}

extension StatusReport.Inbox {
  init(_ folder: DropFolder, now: Date) {
    guard let found = try? folder.scan() else {
      isReadable = false
      return
    }
    files = found.count
    bytes = found.reduce(0) { $0 + $1.size }
    oldestSeconds = found.map(\.modified).min().map { now.timeIntervalSince1970 - Double($0) / 1e9 }
  }
}

/// Names of marks in the ledger.
enum WatchMark {
  /// When the last pass that a cron expression asked for began.
  static let pass = "pass"
}
