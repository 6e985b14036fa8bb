// Exactly once: an intent is recorded before a file is put anywhere, and closed with what the file stands for.

internal import GRDB

/// A file about to be put somewhere. What is open at start was interrupted.
public struct Intent: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable { case store, quarantine, publish }
  public enum State: String, Codable, Hashable, Sendable {
    /// The file system may or may not have been touched.
    case open
    /// The part file is complete and its digest known; it may or may not have been renamed.
    case written
    /// Given up; completed intents are removed.
    case abandoned
  }

  public var id: Int64
  public var kind: Kind
  public var state: State
  /// Publish: the `.part` file; else: the file in the drop folder.
  public var fromPath: String
  public var finalPath: String
  public var sopInstanceUID: String?
  /// Publish: known once written.
  public var sha256: String?
  public var size: Int64?
  public var job: Int64?
  /// Publish: index of the slice.
  public var index: Int?
  /// Publish, once written: the slice to record when the file turns out to be in place.
  public var publication: SlicePublication?
  public var opened: String
}

extension Ledger {
  /// Records that a file is about to go into the store or into quarantine. Completed by `recordAccepted`,
  /// `recordSkipped` or `recordRejected` with the intent's id.
  public func recordIntent(
    _ kind: Intent.Kind, from: String, to: String, sopInstanceUID: String? = nil, sha256: String? = nil,
    size: Int64? = nil
  ) throws -> Int64 {
    try write { change in
      try change.insert(
        """
        INSERT INTO intents (kind, state, from_path, final_path, sop_uid, sha256, size, opened)
        VALUES (?, 'open', ?, ?, ?, ?, ?, ?)
        """, [kind.rawValue, from, to, sopInstanceUID, sha256, size, change.now])
    }
  }

  /// Records that an output is about to be written at `part` and renamed to `final`.
  /// - Parameter index: of the slice; nil for the object of a registration.
  public func recordPublishIntent(
    job: Int64, index: Int?, sopInstanceUID: String, part: String, final: String
  ) throws -> Int64 {
    try write { change in
      try change.insert(
        """
        INSERT INTO intents (kind, state, from_path, final_path, sop_uid, job_id, idx, opened)
        VALUES ('publish', 'open', ?, ?, ?, ?, ?, ?)
        """, [part, final, sopInstanceUID, job, index, change.now])
    }
  }

  /// Records that the part file is complete, on disk and verified, before it is renamed: from here on a restart
  /// that finds the file in place can commit it without fusing the slice again.
  public func markWritten(_ publication: SlicePublication, intent: Int64) throws {
    let record = try JSONValue(encoding: publication).canonicalText
    try write { change in
      try change.run(
        "UPDATE intents SET state = 'written', sha256 = ?, size = ?, record_json = ? WHERE id = ? AND state = 'open'",
        [publication.output.sha256, publication.output.size, record, intent])
      try change.requireOneChange("intent:\(intent)", "the intent is not open, nothing was recorded")
    }
  }

  /// Records a slice whose file is in place under its final name: slice, inputs, output, intent, event.
  /// - Parameter attempt: nil where a restart finishes what an interrupted attempt, the job's last one, began.
  public func commitPublished(
    _ publication: SlicePublication, job: Int64, attempt: Int64?, intent: Int64?
  ) throws {
    try write { change in
      let slice = try change.insertSlice(publication, job: job, attempt: attempt)
      try change.insertInputs(publication.inputs, slice: slice)
      try change.run(
        "INSERT INTO outputs (slice_id, sop_uid, path, sha256, size) VALUES (?, ?, ?, ?, ?)",
        [
          slice, publication.output.sopInstanceUID, publication.output.path, publication.output.sha256,
          publication.output.size,
        ])
      let event = try change.append(
        "slice.published", subject: "output:\(publication.output.sopInstanceUID)",
        [
          "job": .integer(job), "slice": .integer(Int64(publication.index)),
          "sha256": .string(publication.output.sha256), "accepted": .bool(publication.accepted),
          "attempt": JSONValue(
            try change.value("SELECT attempt_id FROM slices WHERE id = ?", [slice]) as Int64?),
          "neighbours": JSONValue(slices: publication.neighbours ?? []),
          "record": .string(try change.sliceDigest(slice)),
        ])
      try change.run("UPDATE slices SET event = ? WHERE id = ?", [event, slice])
      try change.completeIntent(intent)
    }
  }

  /// Intents that were not completed, oldest first: what to look at, and to finish or abandon, at start.
  public func pendingIntents() throws -> [Intent] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM intents WHERE state IN ('open', 'written') ORDER BY id")
      return try rows.map { row in
        guard let kind = Intent.Kind(rawValue: row["kind"]), let state = Intent.State(rawValue: row["state"])
        else { throw LedgerError(.damaged, subject: path, detail: "an intent has an unknown kind or state") }
        let record: String? = row["record_json"]
        return Intent(
          id: row["id"], kind: kind, state: state, fromPath: row["from_path"], finalPath: row["final_path"],
          sopInstanceUID: row["sop_uid"], sha256: row["sha256"], size: row["size"], job: row["job_id"],
          index: row["idx"], publication: try record.map { try JSONDocument(text: $0).decode() },
          opened: row["opened"])
      }
    }
  }

  /// Gives an intent up: its file is neither there nor to come.
  public func abandonIntent(_ intent: Int64) throws {
    try write { try $0.abandonIntent(intent) }
  }
}

extension JSONValue {
  /// Indices of slices; `null`, which an event leaves out, where there are none.
  fileprivate init(slices: [Int]) {
    self = slices.isEmpty ? .null : .array(slices.map { .integer(Int64($0)) })
  }
}

extension Change {
  /// The file is in place and recorded: the intent has served.
  func completeIntent(_ intent: Int64?) throws {
    guard let intent else { return }
    try run("DELETE FROM intents WHERE id = ? AND state IN ('open', 'written')", [intent])
    try requireOneChange("intent:\(intent)", "the intent is not open any more, nothing was recorded")
  }

  func abandonIntent(_ intent: Int64?) throws {
    guard let intent else { return }
    try run(
      """
      UPDATE intents SET state = 'abandoned', record_json = NULL, closed = ?
      WHERE id = ? AND state IN ('open', 'written')
      """, [now, intent])
    try requireOneChange("intent:\(intent)", "the intent is not open any more, nothing was recorded")
  }

  func requireOneChange(_ subject: String, _ detail: String) throws {
    guard db.changesCount == 1 else { throw LedgerError(.contradiction, subject: subject, detail: detail) }
  }

  fileprivate func insertSlice(_ slice: SlicePublication, job: Int64, attempt: Int64?) throws -> Int64 {
    // The event follows once the row can be digested; until the end of the transaction the last one stands in.
    try insert(
      """
      INSERT INTO slices (job_id, attempt_id, idx, x, y, z, accepted, reason, deformation_mean,
        deformation_max, deformation_mean_px, deformation_max_px, folding, similarity_measure,
        similarity_before, similarity_after, inside, seconds, timings_json, published, event)
      VALUES (?1, coalesce(?2, (SELECT max(id) FROM attempts WHERE job_id = ?1)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM events))
      """,
      [
        job, attempt, slice.index, slice.position.x, slice.position.y, slice.position.z, slice.accepted,
        slice.reason, slice.deformation?.meanMillimetres, slice.deformation?.maxMillimetres,
        slice.deformation?.meanPixels, slice.deformation?.maxPixels, slice.deformation?.folding,
        slice.similarity?.measure, slice.similarity?.before, slice.similarity?.after, slice.inside,
        slice.seconds, slice.timings?.text, now,
      ])
  }

  fileprivate func insertInputs(_ inputs: [SlicePublication.Input], slice: Int64) throws {
    for input in inputs {
      try run(
        """
        INSERT INTO slice_inputs (slice_id, role, instance_id, frame)
        SELECT ?, ?, id, ? FROM instances WHERE sop_uid = ?
        """, [slice, input.role.rawValue, input.frame ?? 0, input.sopInstanceUID])
      guard db.changesCount == 1 else {
        throw LedgerError(
          .notFound, subject: input.sopInstanceUID, detail: "an input of the slice is not in the store")
      }
    }
  }
}
