// Runs: when a process worked on the ledger, and what came of it as `run --json` tells it.

internal import Foundation
internal import GRDB

/// How a run ended.
public enum RunOutcome: String, Codable, Sendable {
  case done, failed, interrupted
}

extension Ledger {
  /// Opens a run. Runs that a killed process left open are closed as interrupted, and so are the attempts under
  /// way: their jobs are pending again.
  ///
  /// Call it while holding the lease; another coordinator's run would be closed otherwise.
  public func beginRun(command: String, settings: Int64?, software: Int64?) throws -> Int64 {
    try write { change in
      try closeInterrupted(change)
      let next: Int64 = (try change.value("SELECT max(id) FROM runs") ?? 0) + 1
      try change.run(
        """
        INSERT INTO runs (id, command, state, started, settings_id, software_id, event)
        VALUES (?, ?, 'running', ?, ?, ?, (SELECT max(seq) FROM events))
        """, [next, command, change.now, settings, software])
      let event = try change.announce(
        .run, next, "run.began", subject: "run:\(next)", ["command": .string(command)])
      try change.run("UPDATE runs SET event = ? WHERE id = ?", [event, next])
      return next
    }
  }

  /// Closes a run.
  public func finishRun(_ run: Int64, outcome: RunOutcome) throws {
    try write { change in
      let event = try change.append(
        "run.finished", subject: "run:\(run)", ["outcome": .string(outcome.rawValue)])
      try change.run(
        "UPDATE runs SET state = ?, finished = ?, event = ? WHERE id = ?",
        [outcome.rawValue, change.now, event, run])
    }
  }

  private func closeInterrupted(_ change: Change) throws {
    for run in try Int64.fetchAll(change.db, sql: "SELECT id FROM runs WHERE state = 'running' ORDER BY id") {
      let event = try change.append("run.interrupted", subject: "run:\(run)", [:])
      try change.run(
        "UPDATE runs SET state = 'interrupted', finished = ?, event = ? WHERE id = ?",
        [change.now, event, run])
    }
    for job in try Int64.fetchAll(change.db, sql: "SELECT id FROM jobs WHERE state = 'running' ORDER BY id") {
      try change.run(
        "UPDATE attempts SET outcome = 'interrupted', finished = ? WHERE job_id = ? AND outcome IS NULL",
        [change.now, job])
      try change.moveJob(job, to: "pending", kind: "job.interrupted")
    }
  }

  /// What a run did, in the shape that `run --json` prints.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func summary(run: Int64) throws -> RunSummary {
    try read { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT started, finished FROM runs WHERE id = ?", arguments: [run])
      else {
        throw LedgerError(.notFound, subject: "run:\(run)", detail: "no such run, see the list of runs")
      }
      let jobs = try Fetched<RunSummary.Job>.all(
        db,
        sql: """
          SELECT job, state, reason, fixed, moving, series, slices, outputs, seconds FROM v_jobs
          WHERE run = :run OR job IN (SELECT job_id FROM attempts WHERE run_id = :run) ORDER BY job
          """, arguments: ["run": run])
      let began = Timestamp.date(row["started"])
      let ended = (row["finished"] as String?).flatMap(Timestamp.date) ?? clock()
      return RunSummary(
        run: run, instances: try Self.intakeCounts(db, run: run), pairs: .init(jobs: jobs),
        slices: try Self.sliceCounts(db, run: run), outputs: try Self.outputCount(db, run: run),
        seconds: began.map { ended.timeIntervalSince($0) } ?? 0, jobs: jobs)
    }
  }

  private static func intakeCounts(_ db: Database, run: Int64) throws -> RunSummary.Instances {
    let counts = try Row.fetchAll(
      db, sql: "SELECT outcome, files AS n FROM intake_totals WHERE run_id = ?", arguments: [run])
    let byOutcome = Dictionary(uniqueKeysWithValues: counts.map { ($0["outcome"] as String, $0["n"] as Int) })
    return RunSummary.Instances(
      accepted: byOutcome["accepted"] ?? 0, duplicate: byOutcome["duplicate"] ?? 0,
      skipped: byOutcome["skipped"] ?? 0, rejected: byOutcome["rejected"] ?? 0)
  }

  private static func sliceCounts(_ db: Database, run: Int64) throws -> RunSummary.Slices {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT count(*) AS fused, coalesce(sum(accepted = 0), 0) AS undeformed FROM slices
        WHERE attempt_id IN (SELECT id FROM attempts WHERE run_id = ?)
        """, arguments: [run])
    return RunSummary.Slices(fused: row?["fused"] ?? 0, undeformed: row?["undeformed"] ?? 0)
  }

  private static func outputCount(_ db: Database, run: Int64) throws -> Int {
    try Int.fetchOne(
      db,
      sql: """
        SELECT count(*) FROM outputs WHERE slice_id IN (
          SELECT id FROM slices WHERE attempt_id IN (SELECT id FROM attempts WHERE run_id = ?))
        """, arguments: [run]) ?? 0
  }
}

/// What one run did. `slices.fused` counts all slices made, `undeformed` those of them whose deformation was
/// not accepted; `pairs.planned` counts the jobs the run opened or worked on.
public struct RunSummary: Codable, Hashable, Sendable {
  public struct Instances: Codable, Hashable, Sendable {
    public var accepted: Int
    public var duplicate: Int
    public var skipped: Int
    public var rejected: Int
  }
  public struct Pairs: Codable, Hashable, Sendable {
    public var planned: Int
    public var done: Int
    public var failed: Int
    public var rejected: Int

    init(jobs: [Job]) {
      planned = jobs.count
      done = jobs.count { $0.state == .done }
      failed = jobs.count { $0.state == .failed }
      rejected = jobs.count { $0.state == .rejected }
    }
  }
  public struct Slices: Codable, Hashable, Sendable {
    public var fused: Int
    public var undeformed: Int
  }
  public struct Job: Codable, Hashable, Sendable {
    public var job: Int64
    public var state: JobState
    @Nullable public var reason: String?
    public var fixed: String
    public var moving: String
    @Nullable public var series: String?
    @Nullable public var slices: Int?
    public var outputs: Int
    @Nullable public var seconds: Double?
  }

  public var run: Int64
  public var instances: Instances
  public var pairs: Pairs
  public var slices: Slices
  public var outputs: Int
  public var seconds: Double
  public var jobs: [Job]
}
