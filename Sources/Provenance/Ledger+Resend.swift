// Images that are sent again: dead letters get a fresh job, images that retention let go are back in the store.

internal import GRDB

extension Change {
  /// An image came again whose bytes are known.
  func sentAgain(_ instance: Int64, run: Int64?) throws {
    try restore(instance)
    let dead = try Int64.fetchAll(
      db,
      sql: """
        SELECT j.id FROM instances i JOIN pairs pa ON i.series_id IN (pa.fixed_series_id, pa.moving_series_id)
        JOIN jobs j ON j.pair_id = pa.id WHERE i.id = ? AND j.state = 'failed' AND j.retry_at IS NULL ORDER BY j.id
        """, arguments: [instance])
    for job in dead { try openFreshJob(insteadOf: job, run: run) }
  }

  /// The same work in a job of its own, with all its attempts. The dead one is history: superseded, with the reason it
  /// died of.
  private func openFreshJob(insteadOf dead: Int64, run: Int64?) throws {
    let old = try row(
      """
      SELECT j.key, j.output_series_uid, j.reason, j.sentence, pa.kind, f.uid AS fixed, m.uid AS moving
      FROM jobs j JOIN pairs pa ON pa.id = j.pair_id JOIN series f ON f.id = pa.fixed_series_id
      JOIN series m ON m.id = pa.moving_series_id WHERE j.id = ?
      """, [dead])
    guard let old else { return }
    let id: Int64 = (try value("SELECT max(id) FROM jobs") ?? 0) + 1
    let key = NewJob.keySentAgain(old["key"])
    try self.run(
      """
      INSERT INTO jobs (id, key, pair_id, inputs_sha256, model_id, settings_id, software_id, output_series_uid, run_id,
        state, planned_slices, opened, event)
      SELECT ?, ?, pair_id, inputs_sha256, model_id, settings_id, software_id, output_series_uid, ?, 'pending',
        planned_slices, ?, event FROM jobs WHERE id = ?
      """, [id, key, run, now, dead])
    try announceJob(
      id, "job.opened",
      [
        "key": .string(key), "kind": .string(old["kind"]), "fixed": .string(old["fixed"]),
        "moving": .string(old["moving"]), "instead_of": .integer(dead), "run": JSONValue(run),
        "series": JSONValue(old["output_series_uid"] as String?),
      ])
    try moveSlices(of: dead, to: id)
    try moveJob(
      dead, to: "superseded", kind: "job.superseded", reason: old["reason"], sentence: old["sentence"],
      ["by": .integer(id), "because": .string("sent_again")]
    ) {
      try self.run("UPDATE jobs SET superseded_by = ? WHERE id = ?", [id, dead])
    }
    try reopenStudy(ofJob: id)
  }

  /// Slices that are published stay so: the same work would give the same files. Their new owner is an event of each.
  private func moveSlices(of dead: Int64, to fresh: Int64) throws {
    let slices = try Row.fetchAll(
      db,
      sql: """
        SELECT s.id, s.idx, s.accepted, s.attempt_id, o.sop_uid, o.sha256, json_extract(e.payload, '$.neighbours') AS near
        FROM slices s JOIN outputs o ON o.slice_id = s.id JOIN events e ON e.seq = s.event
        WHERE s.job_id = ? ORDER BY s.idx
        """, arguments: [dead])
    for slice in slices {
      let id: Int64 = slice["id"]
      try run("UPDATE slices SET job_id = ? WHERE id = ?", [fresh, id])
      let event = try append(
        "slice.published", subject: "output:\(slice["sop_uid"] as String)",
        [
          "job": .integer(fresh), "from_job": .integer(dead), "slice": .integer(slice["idx"]),
          "sha256": .string(slice["sha256"]), "accepted": .bool(slice["accepted"]),
          "attempt": JSONValue(slice["attempt_id"] as Int64?), "record": .string(try sliceDigest(id)),
          "neighbours": (slice["near"] as String?).flatMap { JSONValue(parsing: $0) } ?? .null,
        ])
      try run("UPDATE slices SET event = ? WHERE id = ?", [event, id])
    }
    // All of the dead job's slices have moved, and so the sums over them do.
    try run("UPDATE job_totals SET job_id = ? WHERE job_id = ?", [fresh, dead])
  }
}

extension Ledger {
  /// The job that stands for this work now: the one opened last, where dead ones were sent again.
  static func job(_ db: Database, ofWork key: String) throws -> Job? {
    var found = try job(db, where: "j.key = ?", [key])
    while let known = found, let later = try job(db, where: "j.key = ?", [NewJob.keySentAgain(known.key)]) {
      found = later
    }
    return found
  }
}

extension NewJob {
  /// The key of the job that stands in for a dead one.
  static func keySentAgain(_ key: String) -> String { Self.key([key, "sent again"]) }
}
