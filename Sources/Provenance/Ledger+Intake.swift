// Intake's side of the ledger: every file seen, and what became of it.

internal import GRDB

extension Ledger {
  /// Records an image that is in the store now.
  ///
  /// The same SOP Instance UID with the same bytes is recorded as a duplicate; with other bytes, or in another
  /// series than before, or as a series of another study or modality, it is refused.
  /// - Parameter intent: the `store` intent that this completes.
  public func recordAccepted(_ instance: AcceptedInstance, run: Int64?, intent: Int64? = nil) throws
    -> Acceptance
  {
    try write { change in
      let uid = instance.sopInstanceUID
      if try change.value("SELECT id FROM instances WHERE sop_uid = ?", [uid]) as Int64? != nil,
        let kept = try Self.instances(change.db, where: "i.sop_uid = ?", [uid]).first
      {
        return try recordAgain(instance, kept: kept, run: run, intent: intent, change)
      }
      let known = try change.knownSeries(instance.series.uid)
      if let known, known.study.uid != instance.study.uid || known.modality != instance.series.modality {
        return .refused(
          reason: "series_conflict",
          sentence:
            "the series is already recorded under another study or modality, check the scanner's UIDs",
          kept: nil)
      }
      let patient = try change.patient(instance.patient)
      let study = try known?.study.id ?? change.study(instance.study, patient: patient)
      let series = try change.series(instance.series, known: known?.id, study: study)
      let id = try change.insertInstance(instance, series: series, patient: patient, run: run)
      try change.reopenStudy(study)
      try change.completeIntent(intent)
      return .accepted(id)
    }
  }

  private func recordAgain(
    _ instance: AcceptedInstance, kept: StoredInstance, run: Int64?, intent: Int64?, _ change: Change
  ) throws -> Acceptance {
    guard kept.sha256 == instance.sha256 else {
      return .refused(
        reason: "uid_conflict",
        sentence: "another file with this SOP Instance UID and other content is in the store, find out which "
          + "of the two is right", kept: kept)
    }
    let id = try change.insertSeen(instance, as: .duplicate, kept: kept.id, run: run)
    let event = try change.announce(
      .intake, id, "file.duplicate", subject: "instance:\(kept.sopInstanceUID)",
      ["run": JSONValue(run), "sha256": .string(kept.sha256)])
    try change.run("UPDATE intake SET event = ? WHERE id = ?", [event, id])
    try change.sentAgain(kept.id, run: run)
    try change.abandonIntent(intent)
    return .duplicate(of: kept)
  }

  /// Records a file whose image is already in the store, byte for byte.
  public func recordDuplicate(_ file: RefusedFile, run: Int64?, intent: Int64? = nil) throws {
    try record(file, as: .duplicate, run: run, intent: intent)
  }

  /// Records a file that is not for us.
  public func recordSkipped(_ file: RefusedFile, run: Int64?, intent: Int64? = nil) throws {
    try record(file, as: .skipped, run: run, intent: intent)
  }

  /// Records a file that is for us but unsafe to use.
  public func recordRejected(_ file: RefusedFile, run: Int64?, intent: Int64? = nil) throws {
    try record(file, as: .rejected, run: run, intent: intent)
  }

  private func record(_ file: RefusedFile, as outcome: IntakeOutcome, run: Int64?, intent: Int64?) throws {
    try write { change in
      let kept: Int64? = try file.sopInstanceUID.flatMap {
        try change.value("SELECT id FROM instances WHERE sop_uid = ?", [$0])
      }
      let subject = file.sopInstanceUID.map { "instance:\($0)" } ?? "file:\(file.sha256 ?? "unreadable")"
      let id = try change.insert(
        """
        INSERT INTO intake (run_id, time, outcome, reason, sentence, original_path, sha256, size, sop_uid,
          series_uid, study_uid, modality, quarantine_path, instance_id, event)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM events))
        """,
        [
          run, change.now, outcome.rawValue, file.reason, file.sentence, file.originalPath, file.sha256,
          file.size, file.sopInstanceUID, file.seriesInstanceUID, file.studyInstanceUID, file.modality,
          file.quarantinePath, kept,
        ])
      let event = try change.announce(
        .intake, id, "file.\(outcome.rawValue)", subject: subject,
        ["run": JSONValue(run), "reason": .string(file.reason), "sha256": JSONValue(file.sha256)])
      try change.run("UPDATE intake SET event = ? WHERE id = ?", [event, id])
      if outcome == .duplicate, let kept { try change.sentAgain(kept, run: run) }
      try change.completeIntent(intent)
    }
  }

  /// Marks a whole series as not for us or unsafe to use, or as usable again (both nil).
  public func setSeries(_ uid: String, state: SeriesState, reason: String?, sentence: String?) throws {
    try write { change in
      guard let row = try change.row("SELECT id, state, reason FROM series WHERE uid = ?", [uid]) else {
        throw LedgerError(.notFound, subject: uid, detail: "no series of this UID is recorded")
      }
      if row["state"] == state.rawValue, row["reason"] == reason { return }
      try change.run(
        "UPDATE series SET state = ?, reason = ?, sentence = ? WHERE uid = ?",
        [state.rawValue, reason, sentence, uid])
      try change.announce(
        .verdict, row["id"], "series.\(state.rawValue)", subject: "series:\(uid)",
        ["reason": JSONValue(reason)])
    }
  }
}

extension Change {
  fileprivate func patient(_ patient: PatientRecord) throws -> Int64 {
    let known: Int64? = try value(
      """
      SELECT id FROM patients WHERE coalesce(patient_id, '') = ? AND coalesce(issuer, '') = ?
        AND coalesce(name, '') = ? AND coalesce(birth_date, '') = ? AND coalesce(sex, '') = ?
      """,
      [
        patient.patientID ?? "", patient.issuer ?? "", patient.name ?? "", patient.birthDate ?? "",
        patient.sex ?? "",
      ])
    if let known { return known }
    // Another identity under a known ID may be a conflict: what was settled with that ID is looked at again.
    try run(
      """
      UPDATE studies SET worked_off = NULL, arrivals = arrivals + 1 WHERE id IN (
        SELECT se.study_id FROM series se JOIN instances i ON i.series_id = se.id
        JOIN patients p ON p.id = i.patient_id WHERE p.patient_id = ?)
      """, [patient.patientID])
    let id = try insert(
      "INSERT INTO patients (patient_id, issuer, name, birth_date, sex) VALUES (?, ?, ?, ?, ?)",
      [patient.patientID, patient.issuer, patient.name, patient.birthDate, patient.sex])
    try announcePatient(id)
    return id
  }

  fileprivate func study(_ study: StudyRecord, patient: Int64) throws -> Int64 {
    if let known: Int64 = try value("SELECT id FROM studies WHERE uid = ?", [study.uid]) { return known }
    let id = try insert(
      "INSERT INTO studies (uid, patient_id, date, time, description) VALUES (?, ?, ?, ?, ?)",
      [study.uid, patient, study.date, study.time, study.description])
    try announceStudy(id, uid: study.uid)
    return id
  }

  fileprivate func knownSeries(_ uid: String) throws
    -> (id: Int64, study: (id: Int64, uid: String), modality: String)?
  {
    try row(
      """
      SELECT se.id, st.id, st.uid, se.modality FROM series se JOIN studies st ON st.id = se.study_id WHERE se.uid = ?
      """, [uid]
    ).map { ($0[0], ($0[1], $0[2]), $0[3]) }
  }

  fileprivate func series(_ series: SeriesRecord, known: Int64?, study: Int64) throws -> Int64 {
    if let known {
      try run("UPDATE series SET last_arrival = ? WHERE id = ?", [now, known])
      return known
    }
    let id = try insert(
      """
      INSERT INTO series (uid, study_id, modality, number, description, frame_of_reference, last_arrival)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        series.uid, study, series.modality, series.number, series.description, series.frameOfReferenceUID,
        now,
      ])
    try announceSeries(id, uid: series.uid)
    return id
  }

  fileprivate func insertInstance(
    _ instance: AcceptedInstance, series: Int64, patient: Int64, run: Int64?
  ) throws -> Int64 {
    let header = try storedHeader(instance.header.text, series: series)
    // The event follows once the row can be digested; until the end of the transaction the last one stands in.
    let id = try insert(
      """
      INSERT INTO instances (sop_uid, sop_class_uid, transfer_syntax, series_id, patient_id, number, path,
        original_path, sha256, size, header_id, header_json, run_id, received, event)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM events))
      """,
      [
        instance.sopInstanceUID, instance.sopClassUID, instance.transferSyntaxUID, series, patient,
        instance.number, instance.path, instance.originalPath, instance.sha256, instance.size,
        header.base, header.text, run, now,
      ])
    let seen = try insertSeen(instance, as: .accepted, kept: id, run: run)
    let salt = try SaltedRow.salt(db)
    let event = try append(
      "instance.accepted", subject: "instance:\(instance.sopInstanceUID)",
      [
        "run": JSONValue(run), "series": .string(instance.series.uid), "sha256": .string(instance.sha256),
        "size": .integer(instance.size), "record": .string(try instanceDigest(id)),
        "row": try digest(.instance, id, salt: salt), "seen": try digest(.intake, seen, salt: salt),
      ])
    try self.run("UPDATE instances SET event = ? WHERE id = ?", [event, id])
    try self.run("UPDATE intake SET event = ? WHERE id = ?", [event, seen])
    return id
  }

  /// The row of `intake` of an image; its event follows.
  fileprivate func insertSeen(
    _ instance: AcceptedInstance, as outcome: IntakeOutcome, kept: Int64, run: Int64?
  ) throws -> Int64 {
    try insert(
      """
      INSERT INTO intake (run_id, time, outcome, original_path, sha256, size, sop_uid, instance_id, event)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM events))
      """,
      [
        run, now, outcome.rawValue, instance.originalPath, instance.sha256, instance.size,
        instance.sopInstanceUID, kept,
      ])
  }
}
