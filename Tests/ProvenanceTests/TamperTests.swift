// Every kind of change behind the ledger's back is found and named.

import Foundation
import GRDB
import Testing

@testable import Provenance

@Suite struct TamperTests {
  static let unlock = [
    "DROP TRIGGER events_no_update", "DROP TRIGGER events_no_delete", "DROP TRIGGER events_in_order",
  ]

  private func verdict(_ statements: String..., keeping known: [Checkpoint] = []) throws -> Verification {
    let fixture = try Fixture()
    _ = try fixture.finished()
    for sql in Self.unlock + statements { try fixture.tamper(sql) }
    return try fixture.ledger.verify(known: known)
  }

  @Test func `pieces of the chain and tables side by side find what one walk finds`() throws {
    for sql in [
      "SELECT 1", "DELETE FROM events WHERE seq BETWEEN 9 AND 17", "DELETE FROM events WHERE seq = 10",
      "DELETE FROM events WHERE seq > 11", "UPDATE events SET hash = zeroblob(32) WHERE seq = 10",
      "UPDATE slices SET deformation_max = 0.1; UPDATE intake SET sha256 = 'x' WHERE id = 3",
    ] {
      let fixture = try Fixture()
      _ = try fixture.finished()
      for statement in Self.unlock + [sql] { try fixture.tamper(statement) }
      let whole = try fixture.ledger.verify()
      let pieces = try fixture.ledger.verify(piece: 5)
      #expect(pieces.first?.subject == whole.first?.subject && pieces.events == whole.events, "\(sql)")
      #expect(pieces.records == whole.records && pieces.whole == whole.whole, "\(sql)")
    }
  }

  @Test func `an untouched ledger is whole`() throws {
    let verdict = try verdict()
    #expect(verdict.whole, "\(verdict.broken)")
    #expect(verdict.events > 15)
    #expect(verdict.records == 32)
  }

  @Test(arguments: [
    "UPDATE events SET payload = '{}' WHERE seq = 5", "UPDATE events SET time = '2020' WHERE seq = 5",
    "UPDATE events SET kind = 'x' WHERE seq = 5", "UPDATE events SET subject = 'x' WHERE seq = 5",
    "UPDATE events SET hash = zeroblob(32) WHERE seq = 5",
  ]) func `an edited event is named`(sql: String) throws {
    #expect(try verdict(sql).first?.subject == "event:5")
  }

  @Test func `a removed event is named`() throws {
    let verdict = try verdict("DELETE FROM events WHERE seq = 7")
    #expect(verdict.first == BrokenLink(what: .event, subject: "event:7", detail: "event 7 is missing"))
  }

  @Test func `a replaced event with a hash of its own is found by the one after it`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let (time, subject, previous) = try fixture.ledger.read { db in
      let row = try #require(try Row.fetchOne(db, sql: "SELECT * FROM events WHERE seq = 6"))
      return (row["time"] as String, row["subject"] as String, row["prev_hash"] as Data)
    }
    let forged = EventChain.hash(
      seq: 6, time: time, kind: "forged", subject: subject, payload: "{}", previous: previous)
    for sql in Self.unlock { try fixture.tamper(sql) }
    try fixture.tamper(
      "UPDATE events SET kind = 'forged', payload = '{}', hash = x'\(hex(forged))' WHERE seq = 6")
    #expect(try fixture.ledger.verify().first?.subject == "event:7")
  }

  @Test func `how a refused registration went is kept, and an edit of it is named`() throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    _ = try fixture.ledger.startAttempt(job: job.id, run: run)
    let registration = JSONDocument(text: #"{"kind":"rigid","rigid":{"verdict":"registration_misfit"}}"#)
    try fixture.ledger.rejectJob(
      job.id, reason: "registration_misfit", sentence: "two heads", registration: registration)
    #expect(try fixture.ledger.job(job.id).registration == registration)
    #expect(try fixture.ledger.verify().whole)
    try fixture.tamper("UPDATE jobs SET registration_json = '{}' WHERE id = \(job.id)")
    #expect(try fixture.ledger.verify().first?.subject == "job:\(job.id)")
  }

  @Test func `an inserted event is named`() throws {
    let verdict = try verdict(
      """
      INSERT INTO events SELECT max(seq) + 1, '2026-03-01T02:00:09.000Z', 'job.done', 'job:1', '{}',
        (SELECT hash FROM events ORDER BY seq DESC LIMIT 1), zeroblob(32) FROM events
      """)
    #expect(verdict.first?.subject == "event:\(verdict.events)")
  }

  @Test func `a tail cut off shows by the rows that point past it`() throws {
    let verdict = try verdict("DELETE FROM events WHERE seq > 10")
    #expect(verdict.first?.subject == "event:11")
  }

  @Test func `a tail cut off with all its rows shows by a checkpoint kept elsewhere`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    let key = try CheckpointKey.load(orCreate: fixture.folder + "/key")
    let last: Int64? = try fixture.value("SELECT max(seq) FROM events")
    let seq = try #require(last)
    try fixture.ledger.recordRejected(Fixture.refused("truncated"), run: nil)
    let checkpoint = try fixture.ledger.makeCheckpoint(key: key)
    #expect(try fixture.ledger.verify(known: [checkpoint]).whole)
    for sql in Self.unlock + ["DROP TRIGGER checkpoints_no_delete"] { try fixture.tamper(sql) }
    try fixture.tamper("DELETE FROM intake WHERE event > \(seq)", "DELETE FROM events WHERE seq > \(seq)")
    #expect(try fixture.ledger.verify().first?.what == .checkpoint)
    try fixture.tamper("DELETE FROM checkpoints")
    #expect(try fixture.ledger.verify().whole, "nothing inside can show it any more")
    #expect(try fixture.ledger.verify(known: [checkpoint]).first?.what == .checkpoint)
  }

  @Test func `a checkpoint signed with another key or changed is named`() throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    let path = fixture.folder + "/key"
    let key = try CheckpointKey.load(orCreate: path)
    #expect(try CheckpointKey.load(orCreate: path).publicKey == key.publicKey)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    _ = try fixture.ledger.makeCheckpoint(key: key)
    let other = try CheckpointKey.load(orCreate: path + "2")
    #expect(try fixture.ledger.verify(publicKey: key.publicKey).whole)
    #expect(try fixture.ledger.verify(publicKey: other.publicKey).first?.what == .checkpoint)
    try fixture.tamper("DROP TRIGGER checkpoints_no_update", "UPDATE checkpoints SET time = '2020'")
    #expect(try fixture.ledger.verify().first?.detail == "its signature is wrong")
  }

  @Test(arguments: [
    ("UPDATE slices SET accepted = 1, reason = NULL WHERE idx = 1", "slice 1 of job:1"),
    ("UPDATE slices SET deformation_max = 0.1 WHERE idx = 2", "slice 2 of job:1"),
    ("UPDATE outputs SET sha256 = 'x' WHERE sop_uid = '2.25.0'", "slice 0 of job:1"),
    ("UPDATE slice_inputs SET frame = 3 WHERE frame = 2 AND slice_id = 1", "slice 0 of job:1"),
    ("UPDATE instances SET sha256 = 'x' WHERE sop_uid = '1.2.2.1'", "1.2.2.1"),
    ("UPDATE instances SET path = 'x' WHERE sop_uid = '1.2.2.1'", "1.2.2.1"),
    (#"UPDATE instances SET header_json = '{"rows":5}' WHERE sop_uid = '1.2.3.1'"#, "1.2.3.1"),
    ("UPDATE headers SET header_json = '{}' WHERE series_id = 1", "1.2.2.0"),
    ("UPDATE instances SET series_id = 2 WHERE sop_uid = '1.2.2.2'", "1.2.2.2"),
    ("UPDATE instances SET event = 1 WHERE sop_uid = '1.2.2.1'", "1.2.2.1"),
    ("UPDATE instances SET event = event + 2 WHERE sop_uid = '1.2.2.0'", "1.2.2.0"),
    ("UPDATE intake SET event = event + 2 WHERE id = 1", "intake:1"),
    ("UPDATE intake SET event = (SELECT event FROM intake WHERE id = 2) WHERE id = 6", "intake:6"),
    ("UPDATE slices SET event = 3 WHERE idx = 1", "slice 1 of job:1"),
    ("UPDATE jobs SET normalization_moving_json = '{}'", "job:1"),
    ("UPDATE models SET sha256 = 'x'", "model:x"),
    ("UPDATE settings SET text = 'x'", "settings:\(Fixture.digest("settings"))"),
    ("UPDATE software SET blas = 'Haswell'", "software:0.1.0"),
    ("UPDATE patients SET name = 'Other^Person'", "patient:1"),
    ("UPDATE patients SET birth_date = '19500102'", "patient:1"),
    ("UPDATE studies SET patient_id = 2", "study:1.2.1"),
    ("UPDATE instances SET patient_id = 2 WHERE sop_uid = '1.2.2.1'", "1.2.2.1"),
    ("UPDATE intake SET original_path = 'OTHER_PERSON' WHERE id = 2", "intake:2"),
    ("DELETE FROM outputs WHERE sop_uid = '2.25.2'", "slice 2 of job:1"),
    ("DELETE FROM slice_inputs WHERE role = 'fixed' AND slice_id = 2", "slice 1 of job:1"),
    ("UPDATE pairs SET kind = 'PET-MR'", "job:1"),
    ("UPDATE pairs SET fixed_series_id = 2, moving_series_id = 1", "job:1"),
    ("INSERT INTO pairs VALUES (2, 'PET-MR', 1, 2, 'x')", "pair:2"),
    ("UPDATE jobs SET key = 'x'", "job:1"), ("UPDATE jobs SET reason = 'x'", "job:1"),
    ("DROP TRIGGER jobs_state; UPDATE jobs SET state = 'superseded'", "job:1"),
    ("UPDATE runs SET state = 'failed'", "run:1"),
    ("UPDATE intake SET outcome = 'skipped', reason = 'x' WHERE id = 2", "intake:2"),
    ("UPDATE intake SET sha256 = 'x' WHERE id = 3", "intake:3"),
    ("DELETE FROM intake WHERE id = 4", "instance:1.2.3.1"),
    (
      "INSERT INTO intake (time, outcome, original_path, event) SELECT time, 'accepted', 'x', event FROM intake WHERE id = 1",
      "intake:7"
    ), ("UPDATE job_totals SET undeformed = 0", "job:1"),
    ("UPDATE intake_totals SET files = 7 WHERE outcome = 'accepted'", "run:1"),
  ]) func `a changed row is named`(sql: String, subject: String) throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.tamper(sql)
    let verdict = try fixture.ledger.verify()
    #expect(verdict.first?.what == .record)
    #expect(verdict.first?.subject == subject)
  }

  @Test func `a row removed with everything that hangs on it is missed by its event`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.tamper(
      "DELETE FROM outputs WHERE slice_id = 3", "DELETE FROM slice_inputs WHERE slice_id = 3",
      "DELETE FROM slices WHERE id = 3")
    let verdict = try fixture.ledger.verify()
    #expect(verdict.first?.subject == "2.25.2")
    #expect(verdict.broken.contains { $0.what == .lineage && $0.subject == "job:1" })
  }

  @Test func `a job and a run removed with everything that hangs on them are missed by their events`() throws
  {
    let fixture = try Fixture()
    let (_, job) = try fixture.planned()
    try fixture.tamper("PRAGMA foreign_keys = OFF", "DELETE FROM jobs", "DELETE FROM pairs")
    #expect(try fixture.ledger.verify().first?.subject == "job:\(job.id)")
    try fixture.tamper("DELETE FROM runs")
    #expect(try fixture.ledger.verify().broken.contains { $0.subject == "run:1" })
  }

  @Test func `a swapped output, a missing output and a changed input are named`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    func digest(_ file: RecordedFile) -> String? {
      switch file {
      case .output(let path):
        let index = path.dropLast(4).suffix(1)
        return Fixture.digest("out \(index)")
      case .input(let path):
        return Fixture.digest((path as NSString).lastPathComponent.replacingOccurrences(of: ".dcm", with: ""))
      }
    }
    let whole = try fixture.ledger.verify(digest: digest)
    #expect(whole.whole && whole.outputs == 3 && whole.inputs == 6)
    let verdict = try fixture.ledger.verify { file in
      if case .output("1.2.1/2.25.9/2.25.1.dcm") = file { return Fixture.digest("out 2") }
      if case .output("1.2.1/2.25.9/2.25.2.dcm") = file { return nil }
      if case .input("1.2.1/1.2.3/1.2.3.0.dcm") = file { return Fixture.digest("x") }
      return digest(file)
    }
    #expect(verdict.broken.map(\.subject) == ["2.25.1", "2.25.2", "1.2.3.0"])
    #expect(verdict.broken.map(\.what) == [.output, .output, .input])
  }

  @Test(arguments: [
    "UPDATE events SET kind = 'x'", "DELETE FROM events",
    "INSERT OR REPLACE INTO events SELECT * FROM events LIMIT 1",
    "UPDATE checkpoints SET seq = 0",
    "INSERT INTO events VALUES (99, 't', 'k', 's', '{}', zeroblob(32), zeroblob(32))",
  ]) func `the schema itself refuses to change history`(sql: String) throws {
    let fixture = try Fixture()
    _ = try fixture.planned()
    _ = try fixture.ledger.makeCheckpoint(key: CheckpointKey.load(orCreate: fixture.folder + "/key"))
    #expect(throws: DatabaseError.self) { try fixture.tamper(sql) }
  }
}
