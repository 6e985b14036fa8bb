// What may be opened as a ledger, how, and what is refused with a sentence.

import Foundation
import GRDB
import Testing

@testable import Provenance

@Suite struct OpeningTests {
  private func refusal(_ body: () throws -> Ledger) -> LedgerError? {
    do {
      _ = try body()
      return nil
    } catch { return error as? LedgerError }
  }

  @Test func `a new ledger carries the schema, our application ID and mode 0640`() throws {
    let fixture = try Fixture()
    #expect(try fixture.value("PRAGMA user_version") == Ledger.schemaVersion)
    #expect(try fixture.value("PRAGMA application_id") == Ledger.applicationID)
    #expect(try fixture.value("PRAGMA journal_mode") == "wal")
    let mode = try FileManager.default.attributesOfItem(atPath: fixture.path)[.posixPermissions] as? Int
    #expect(mode == 0o640)
    #expect(try fixture.ledger.write { try $0.value("PRAGMA synchronous") } == 2)
    #expect(try fixture.ledger.write { try $0.value("PRAGMA foreign_keys") } == 1)
  }

  @Test func `a file of text is refused and stays as it was`() throws {
    let fixture = try Fixture()
    let path = fixture.folder + "/notes.txt"
    try Data("these are notes, not a database".utf8).write(to: URL(fileURLWithPath: path))
    let error = refusal { try Ledger.open(path: path) }
    #expect(error?.reason == .notALedger)
    #expect(error?.description.contains("not an SQLite database, choose another ledger path") == true)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "these are notes, not a database")
  }

  @Test func `another program's database is refused and stays as it was`() throws {
    let fixture = try Fixture()
    let path = fixture.folder + "/other.sqlite"
    let other = try DatabaseQueue(path: path)
    try other.write { try $0.execute(sql: "CREATE TABLE t (a)") }
    try other.close()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(refusal { try Ledger.open(path: path) }?.reason == .notALedger)
    #expect(refusal { try Ledger.openReadOnly(path: path) }?.reason == .notALedger)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func `a ledger of a later schema is refused`() throws {
    let fixture = try Fixture()
    let known = Ledger.schemaVersion
    try fixture.tamper("PRAGMA user_version = \(known + 1)")
    let error = refusal { try fixture.again() }
    #expect(error?.reason == .newerSchema)
    #expect(error?.detail.contains("schema version \(known + 1) and this program knows \(known)") == true)
    #expect(refusal { try Ledger.openReadOnly(path: fixture.path) }?.reason == .newerSchema)
  }

  @Test func `a damaged ledger is refused`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.ledger.close()
    let file = try #require(FileHandle(forUpdatingAtPath: fixture.path))
    for page in 3..<20 {
      try file.seek(toOffset: UInt64(page * 4096))
      try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
    }
    try file.close()
    #expect(refusal { try fixture.again() }?.reason == .damaged)
  }

  @Test func `a missing folder is said to be missing`() throws {
    let error = refusal { try Ledger.open(path: "/nowhere/at/all/fuseline.sqlite") }
    #expect(error?.reason == .cannotCreate)
    #expect(error?.description.contains("No such file or directory") == true)
    #expect(refusal { try Ledger.openReadOnly(path: "/nowhere/fuseline.sqlite") }?.reason == .missing)
  }

  @Test func `what a process killed right after making the file leaves becomes a ledger`() throws {
    let fixture = try Fixture()
    let path = fixture.folder + "/empty.sqlite"
    try Data().write(to: URL(fileURLWithPath: path))
    let ledger = try Ledger.open(path: path)
    #expect(try ledger.verify().whole)
    try ledger.close()
  }

  @Test func `a ledger is read where nothing can be written`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.ledger.close()
    for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: fixture.path + suffix) }
    chmod(fixture.path, 0o440)
    chmod(fixture.folder, 0o550)
    // The superuser may write anywhere, so that the way of reading is asked for by name as well.
    let reader = try Ledger(
      path: fixture.path, clock: { Date() }, writer: nil,
      reader: Ledger.readOnlyDatabase(fixture.path, frozen: true))
    #expect(try reader.jobs().count == 1)
    #expect(try Ledger.openReadOnly(path: fixture.path).jobs().count == 1)
  }

  @Test func `a reader sees a consistent ledger while another process writes`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    let reader = try Ledger.openReadOnly(path: fixture.path)
    try fixture.ledger.transaction {
      try fixture.ledger.supersedeJob(job, by: nil, reason: "test")
      #expect(try fixture.ledger.jobState(job).state == .superseded)
      #expect(try reader.jobState(job).state == .done)
    }
    #expect(try reader.jobState(job).state == .superseded)
  }

  @Test func `a ledger opened for reading refuses changes`() throws {
    let fixture = try Fixture()
    let reader = try Ledger.openReadOnly(path: fixture.path)
    #expect(reader.isReadOnly)
    #expect(throws: LedgerError.self) { try reader.beginRun(command: "run", settings: nil, software: nil) }
  }

  @Test func `changes grouped in a transaction are kept or lost together`() throws {
    let fixture = try Fixture()
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try fixture.ledger.transaction {
        _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil)
        #expect(try fixture.ledger.instance(sopInstanceUID: "1.2.2.0") != nil)
        throw Stop()
      }
    }
    #expect(try fixture.ledger.instance(sopInstanceUID: "1.2.2.0") == nil)
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `a change that fails takes its transaction with it, even where its error is caught`() throws {
    let fixture = try Fixture()
    #expect(throws: LedgerError.self) {
      try fixture.ledger.transaction {
        _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil)
        // Changes within a transaction have no way back of their own: half of one must not be kept.
        try? fixture.ledger.setSeries("9.9.9", state: .skipped, reason: "test", sentence: nil)
      }
    }
    #expect(try fixture.ledger.instance(sopInstanceUID: "1.2.2.0") == nil)
    _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.0"), run: nil)
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `a ledger whose making was cut off is made anew`() throws {
    let fixture = try Fixture()
    let path = fixture.folder + "/cut.sqlite"
    let making = try DatabaseQueue(path: fixture.folder + "/making.sqlite")
    try making.writeWithoutTransaction { db in
      // A cache this small makes SQLite write pages, and the journal to undo them, before the end of the transaction.
      try db.execute(sql: "PRAGMA cache_size = 10; BEGIN; CREATE TABLE t (x)")
      try db.execute(
        sql: """
          INSERT INTO t WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)
          SELECT randomblob(4000) FROM c
          """)
      for suffix in ["", "-journal"] {
        try FileManager.default.copyItem(
          atPath: fixture.folder + "/making.sqlite" + suffix, toPath: path + suffix)
      }
      try db.execute(sql: "ROLLBACK")
    }
    let ledger = try Ledger.open(path: path)
    #expect(try ledger.verify().whole)
    try ledger.close()
  }
}
