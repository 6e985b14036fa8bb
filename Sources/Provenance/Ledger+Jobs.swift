// The life of a job: opened once per distinct work, attempted, ended. The state machine itself is in schema.sql.

public import Foundation
internal import GRDB

extension Ledger {
  /// The job for this work: the one recorded before under the same key, in whatever state, or a new pending one.
  ///
  /// The key covers series, inputs, model and settings digests and the software version, so that a second run
  /// over the same files finds its job done. Of a dead letter that was sent again, it is the job that stands in for it.
  public func openJob(_ new: NewJob, run: Int64?) throws -> Job {
    try write { change in
      let key = try change.key(of: new)
      if let known = try Self.job(change.db, ofWork: key) { return known }
      let id: Int64 = (try change.value("SELECT max(id) FROM jobs") ?? 0) + 1
      try change.run(
        """
        INSERT INTO jobs (id, key, pair_id, inputs_sha256, model_id, settings_id, software_id, output_series_uid,
          run_id, state, planned_slices, opened, event)
        VALUES (:id, :key, :pair, :inputs, :model, :settings, :software, :output, :run, 'pending', :slices, :now,
          (SELECT max(seq) FROM events))
        """,
        [
          "id": id, "key": key, "pair": try change.pair(of: new), "inputs": new.inputsSHA256,
          "model": new.model, "settings": new.settings, "software": new.software,
          "output": new.outputSeriesUID, "run": run, "slices": new.plannedSlices, "now": change.now,
        ])
      try change.announceJob(
        id, "job.opened",
        [
          "key": .string(key), "kind": .string(new.kind), "fixed": .string(new.fixedSeriesUID),
          "moving": .string(new.movingSeriesUID), "series": JSONValue(new.outputSeriesUID),
          "run": JSONValue(run),
        ])
      return try Self.job(change.db, id: id)
    }
  }

  /// A job as it stands.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func jobState(_ id: Int64) throws -> Job {
    try read { try Self.job($0, id: id) }
  }

  /// Jobs that can be worked on now: pending ones, and failed ones whose time to retry has come. Oldest first.
  public func runnableJobs() throws -> [Job] {
    let now = Timestamp.text(clock())
    return try read {
      try Self.jobs($0, where: "j.state = 'pending' OR (j.state = 'failed' AND j.retry_at <= ?)", [now])
    }
  }

  /// All jobs of a pair of series, whatever their inputs, model and settings were.
  public func jobs(fixedSeriesUID: String, movingSeriesUID: String) throws -> [Job] {
    try read {
      try Self.jobs(
        $0, where: "f.uid = ? AND m.uid = ? ORDER BY j.id", [fixedSeriesUID, movingSeriesUID])
    }
  }

  /// Indices of the slices of a job that are published already; a new attempt leaves them alone.
  public func publishedSlices(job: Int64) throws -> Set<Int> {
    try read {
      Set(try Int.fetchAll($0, sql: "SELECT idx FROM slices WHERE job_id = ?", arguments: [job]))
    }
  }

  /// Starts an attempt: the job is running. A failed job is taken back to pending first. Returns the attempt's id.
  public func startAttempt(job: Int64, run: Int64?, worker: String? = nil) throws -> Int64 {
    try write { change in
      if try Self.job(change.db, id: job).state == .failed {
        try change.moveJob(job, to: "pending", kind: "job.requeued")
      }
      let number = (try change.value("SELECT max(number) FROM attempts WHERE job_id = ?", [job]) ?? 0) + 1
      let attempt = try change.insert(
        "INSERT INTO attempts (job_id, run_id, number, worker, started) VALUES (?, ?, ?, ?, ?)",
        [job, run, number, worker, change.now])
      try change.moveJob(
        job, to: "running", kind: "attempt.began",
        ["attempt": .integer(Int64(number)), "run": JSONValue(run)]
      ) {
        try change.run(
          "UPDATE jobs SET attempts = attempts + 1, started = ?, finished = NULL, seconds = NULL WHERE id = ?",
          [change.now, job])
      }
      return attempt
    }
  }

  /// Records what was found on reading both volumes. Nil leaves a value as it is.
  /// - Parameter intent: of the registration object that the preparation names, which is in place.
  public func recordPreparation(
    _ preparation: JobPreparation, job: Int64, completing intent: Int64? = nil
  ) throws {
    try write { change in
      try change.completeIntent(intent)
      _ = try Self.job(change.db, id: job)
      try change.run(
        """
        UPDATE jobs SET normalization_fixed_json = coalesce(?, normalization_fixed_json),
          normalization_moving_json = coalesce(?, normalization_moving_json),
          registration_json = coalesce(?, registration_json), interpolation = coalesce(?, interpolation),
          details_json = coalesce(?, details_json), planned_slices = coalesce(?, planned_slices)
        WHERE id = ?
        """,
        [
          preparation.normalizationFixed?.text, preparation.normalizationMoving?.text,
          preparation.registration?.text, preparation.interpolation, preparation.details?.text,
          preparation.plannedSlices, job,
        ])
      try change.announceJob(
        job, "job.prepared", ["slices": JSONValue(preparation.plannedSlices.map(Int64.init))])
    }
  }

  /// All slices are published.
  /// - Throws: `LedgerError.Reason.contradiction` while published slices are fewer than planned.
  public func finishJob(_ job: Int64) throws {
    try write { change in
      let state = try Self.job(change.db, id: job)
      if let planned = state.plannedSlices, planned != state.publishedSlices {
        throw LedgerError(
          .contradiction, subject: "job:\(job)",
          detail: "\(state.publishedSlices) of \(planned) slices are published, the job is not done")
      }
      try change.endAttempt(job, outcome: "done", reason: nil, sentence: nil)
      try change.moveJob(
        job, to: "done", kind: "job.done",
        [
          "outputs": .integer(Int64(state.publishedSlices)), "record": .string(try change.jobDigest(job)),
        ])
    }
  }

  /// It did not work: our fault or the machine's. `retryAt` nil makes it a dead letter.
  public func failJob(_ job: Int64, reason: String, sentence: String, retryAt: Date?) throws {
    try write { change in
      try change.endAttempt(job, outcome: "failed", reason: reason, sentence: sentence)
      let retry = retryAt.map(Timestamp.text)
      try change.moveJob(
        job, to: "failed", kind: "job.failed", reason: reason, sentence: sentence,
        ["retry_at": JSONValue(retry)]
      ) {
        try change.run("UPDATE jobs SET retry_at = ? WHERE id = ?", [retry, job])
      }
    }
  }

  /// It is unsafe to do.
  /// - Parameter registration: how the registration went that was not believed; nil leaves what is known as it is.
  public func rejectJob(
    _ job: Int64, reason: String, sentence: String, registration: JSONDocument? = nil
  ) throws {
    try write { change in
      try change.endAttempt(job, outcome: "rejected", reason: reason, sentence: sentence)
      if let registration {
        try change.run("UPDATE jobs SET registration_json = ? WHERE id = ?", [registration.text, job])
      }
      try change.moveJob(
        job, to: "rejected", kind: "job.rejected", reason: reason, sentence: sentence,
        ["record": .string(try change.jobDigest(job))])
    }
  }

  /// Back to pending with a fresh budget of attempts: a dead letter that was sent again, a rejection whose cause is gone.
  public func requeueJob(_ job: Int64) throws {
    try write { change in
      try change.moveJob(job, to: "pending", kind: "job.requeued") {
        try change.run("UPDATE jobs SET attempts = 0 WHERE id = ?", [job])
      }
      try change.reopenStudy(ofJob: job)
    }
  }

  /// Lets go of a job under way without blame: told to stop, the window has closed, no space to spare. It is pending
  /// again, and the attempt does not count.
  public func pauseJob(_ job: Int64, reason: String) throws {
    try write { change in
      try change.endAttempt(job, outcome: "interrupted", reason: reason, sentence: nil)
      try change.moveJob(job, to: "pending", kind: "job.interrupted", reason: reason) {
        try change.run("UPDATE jobs SET attempts = max(attempts - 1, 0) WHERE id = ?", [job])
      }
    }
  }

  /// The same for every job that is recorded as under way.
  public func pauseRunningJobs(reason: String) throws {
    let running = try read {
      try Int64.fetchAll($0, sql: "SELECT id FROM jobs WHERE state = 'running' ORDER BY id")
    }
    for job in running { try pauseJob(job, reason: reason) }
  }

  /// A later job stands for this one: slices came late, or the model or the settings changed. Its outputs stay.
  public func supersedeJob(_ job: Int64, by newer: Int64?, reason: String) throws {
    try write { change in
      try change.endAttempt(job, outcome: "interrupted", reason: reason, sentence: nil)
      try change.moveJob(
        job, to: "superseded", kind: "job.superseded", reason: reason, ["by": JSONValue(newer)]
      ) {
        try change.run("UPDATE jobs SET superseded_by = ? WHERE id = ?", [newer, job])
      }
    }
  }

  /// The superseded work is wanted again, after going back to earlier settings for instance: done if all its slices
  /// are published, else pending.
  public func reinstateJob(_ job: Int64) throws {
    try write { change in
      let state = try Self.job(change.db, id: job)
      guard state.state == .superseded else {
        throw LedgerError(
          .contradiction, subject: "job:\(job)", detail: "only a superseded job can be reinstated")
      }
      guard let planned = state.plannedSlices, planned == state.publishedSlices else {
        return try change.moveJob(job, to: "pending", kind: "job.requeued")
      }
      try change.moveJob(
        job, to: "done", kind: "job.done",
        ["outputs": .integer(Int64(planned)), "record": .string(try change.jobDigest(job))])
    }
  }
}
