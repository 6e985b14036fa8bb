// How the ledger and its queue are doing, for `status` and `doctor`.

public import Foundation
internal import GRDB

/// The queue at a moment.
public struct QueueStatus: Codable, Hashable, Sendable {
  public var pending: Int
  public var running: Int
  /// Failed, to be tried again.
  public var retrying: Int
  /// Failed for good, until somebody requeues them.
  public var dead: Int
  public var rejected: Int
  public var done: Int
  public var superseded: Int
  public var outputs: Int
  /// Since when the oldest of what waits does so: a job since it was opened, a study since its last image came.
  @Nullable public var oldestWaiting: String?
  @Nullable public var lastPublished: String?
  @Nullable public var lastRun: Int64?

  enum CodingKeys: String, CodingKey {
    case pending, running, retrying, dead, rejected, done, superseded, outputs
    case oldestWaiting = "oldest_waiting"
    case lastPublished = "last_published"
    case lastRun = "last_run"
  }
}

extension Ledger {
  /// Outside the schedule's window no job is opened: what waits then are studies.
  private static let oldestWaiting = """
    SELECT min(since) FROM (
      SELECT opened AS since FROM jobs WHERE state = 'pending' OR retry_at IS NOT NULL
      UNION ALL
      SELECT max(se.last_arrival) FROM studies st JOIN series se ON se.study_id = st.id
      WHERE st.worked_off IS NULL GROUP BY st.id)
    """

  public func queue() throws -> QueueStatus {
    try read { db in
      let counts = try Row.fetchAll(
        db,
        sql: """
          SELECT CASE WHEN state = 'failed' AND retry_at IS NOT NULL THEN 'retrying'
            WHEN state = 'failed' THEN 'dead' ELSE state END AS name, count(*) AS n
          FROM jobs GROUP BY name
          """)
      let byName = Dictionary(uniqueKeysWithValues: counts.map { ($0["name"] as String, $0["n"] as Int) })
      return QueueStatus(
        pending: byName["pending"] ?? 0, running: byName["running"] ?? 0, retrying: byName["retrying"] ?? 0,
        dead: byName["dead"] ?? 0, rejected: byName["rejected"] ?? 0, done: byName["done"] ?? 0,
        superseded: byName["superseded"] ?? 0,
        outputs: try Int.fetchOne(db, sql: "SELECT sum(slices) FROM job_totals") ?? 0,
        oldestWaiting: try String.fetchOne(db, sql: Self.oldestWaiting),
        lastPublished: try String.fetchOne(db, sql: "SELECT published FROM slices ORDER BY id DESC LIMIT 1"),
        lastRun: try Int64.fetchOne(db, sql: "SELECT max(id) FROM runs"))
    }
  }

  /// What SQLite finds wrong with the file, nothing if it is sound; looks at every page and index.
  public func integrityFindings() throws -> [String] {
    try read { db in
      let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check(10)").filter { $0 != "ok" }
      let broken = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").prefix(10).map { row in
        "a row of \(row[0] as String) refers to one of \(row[2] as String) that is not there"
      }
      return findings + broken
    }
  }
}

/// A job that was given up.
public struct DeadLetter: Codable, Hashable, Sendable {
  public var job: Int64
  public var kind: String
  /// Study Instance UID.
  public var study: String
  public var reason: String
  public var sentence: String?
  @Nullable public var finished: String?
}

/// One run in one line.
public struct RunLine: Codable, Hashable, Sendable {
  public var run: Int64
  public var command: String
  public var state: String
  public var started: String
  @Nullable public var finished: String?
}

extension Ledger {
  /// Jobs that were given up, the newest first.
  public func newestDeadLetters(limit: Int) throws -> [DeadLetter] {
    try read {
      try Fetched<DeadLetter>.all(
        $0,
        sql: """
          SELECT job, kind, study, reason, sentence, finished FROM v_jobs
          WHERE state = 'failed' AND retry_at IS NULL ORDER BY job DESC LIMIT ?
          """, arguments: [limit])
    }
  }

  public func lastRun() throws -> RunLine? {
    try read {
      try Fetched<RunLine>.one(
        $0, sql: "SELECT id AS run, command, state, started, finished FROM runs ORDER BY id DESC LIMIT 1")
    }
  }

  /// Studies that have not been worked off since their last image came.
  public func studiesToDo() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM studies WHERE worked_off IS NULL") ?? 0 }
  }

  /// Slices published since a moment, counted among the last hundred thousand.
  public func slicesPublished(since date: Date) throws -> Int {
    try read {
      try Int.fetchOne(
        $0,
        sql: """
          SELECT count(*) FROM (SELECT published FROM slices ORDER BY id DESC LIMIT 100000) WHERE published >= ?
          """, arguments: [Timestamp.text(date)]) ?? 0
    }
  }
}
