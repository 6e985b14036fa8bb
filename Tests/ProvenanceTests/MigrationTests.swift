// Ledgers of earlier versions become those of today, after a backup, wholly or not at all.

import Foundation
import GRDB
import Testing

@testable import Provenance

@Suite struct MigrationTests {
  /// A ledger as version 1 left it, with a finished job, written down as SQL.
  private static let firstVersion = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Ledgers/version-1.sql")

  private func backups(beside fixture: Fixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.folder).filter { $0.contains(".version-") }
  }

  /// A made-up next version: a column, a table made anew with another rule, and a view of it.
  private func next(_ fixture: Fixture, breaking: String = "") -> Migrator {
    let clock = fixture.clock
    let table =
      "CREATE TABLE models_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> '')) STRICT"
    return Migrator(
      path: fixture.path, clock: { clock.now },
      migrations: [
        Migration(version: Ledger.schemaVersion, sql: "never run"),
        Migration(version: Ledger.schemaVersion + 1, sql: "ALTER TABLE runs ADD COLUMN note TEXT"),
        Migration(
          version: Ledger.schemaVersion + 2,
          sql: """
            \(table); INSERT INTO models_new SELECT id, name FROM models; DROP TABLE models;
            ALTER TABLE models_new RENAME TO models; \(breaking)
            """),
      ],
      schema: Ledger.schema.replacingOccurrences(
        of: "host       TEXT NOT NULL,\n  kernels", with: "host TEXT, kernels")
        + "CREATE VIEW v_notes AS SELECT id, note FROM runs; CREATE INDEX models_by_name ON models (name);")
  }

  @Test func `the migrations lead to the version of schema sql, one by one`() {
    #expect(Migrations.all.map(\.version) == Array(Array(1...Ledger.schemaVersion).dropFirst()))
    #expect(Ledger.schema.contains("PRAGMA user_version = \(Ledger.schemaVersion);"))
  }

  @Test func `a ledger of version 1 opens as one of today, whole, with its history`() throws {
    let fixture = try Fixture()
    let path = fixture.folder + "/old.sqlite"
    let old = try DatabaseQueue(path: path)
    try old.writeWithoutTransaction {
      try $0.execute(sql: String(contentsOf: Self.firstVersion, encoding: .utf8))
    }
    try old.close()
    let ledger = try Ledger.open(path: path)
    #expect(try ledger.verify().whole)
    #expect(try ledger.job(1).outputs.count == 3)
    #expect(
      try ledger.sql("SELECT pair, kind, fixed, moving, jobs, state FROM v_pairs").rows
        == [[1, "CT-MR", "1.2.2", "1.2.3", 1, "done"]])
    #expect(try ledger.read { try Structure($0) } == fixture.ledger.read { try Structure($0) })
    try ledger.close()
    #expect(try backups(beside: fixture).count == (Ledger.schemaVersion == 1 ? 0 : 1))
  }

  @Test func `a migration keeps all rows, makes a backup first and is an event of the chain`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let before: Int? = try fixture.value("SELECT max(seq) FROM events")
    try next(fixture).run()
    #expect(try fixture.value("PRAGMA user_version") == Ledger.schemaVersion + 2)
    #expect(try fixture.value("SELECT count(*) FROM v_notes") == 1)
    #expect(try fixture.value("SELECT name FROM models") == "ct-mr")
    #expect(throws: DatabaseError.self) { try fixture.tamper("INSERT INTO models VALUES (9, '')") }
    #expect(throws: DatabaseError.self) { try fixture.tamper("DELETE FROM events") }
    #expect(try fixture.value("SELECT kind FROM events ORDER BY seq DESC LIMIT 1") == "ledger.migrated")
    #expect(
      try fixture.ledger.read { db in
        let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
        var chain = try ChainWalk(db, first: 1, through: last)
        let rows = try RawRows(
          db, sql: "SELECT seq, time, kind, subject, payload, prev_hash, hash FROM events ORDER BY seq")
        while try rows.next() { chain.meet(rows) }
        return chain.report.whole && chain.report.events == before.map { $0 + 1 }
      })
    let backup = try #require(try backups(beside: fixture).first)
    #expect(backup == "fuseline.sqlite.version-\(Ledger.schemaVersion).20260301T020001Z.backup")
    let mode = try FileManager.default.attributesOfItem(atPath: fixture.folder + "/" + backup)[
      .posixPermissions]
    #expect(mode as? Int == 0o640)
    let copy = try Ledger.openReadOnly(path: fixture.folder + "/" + backup)
    #expect(try copy.verify().whole && copy.verify().events == before)
  }

  @Test func `a second migration finds nothing to do`() throws {
    let fixture = try Fixture()
    try next(fixture).run()
    try next(fixture).run()
    #expect(try backups(beside: fixture).count == 1)
    #expect(try fixture.value("SELECT count(*) FROM events WHERE kind = 'ledger.migrated'") == 1)
  }

  @Test(arguments: ["SELECT nonsense FROM nowhere;", "DELETE FROM studies;"])
  func `a migration that fails leaves the ledger as it was`(statement: String) throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    #expect(throws: (any Error).self) { try next(fixture, breaking: statement).run() }
    #expect(try fixture.value("PRAGMA user_version") == Ledger.schemaVersion)
    #expect(try fixture.ledger.verify().whole)
    try fixture.ledger.close()
    #expect(try fixture.again().jobs().count == 1)
  }

  @Test func `nothing is migrated under a coordinator at work`() throws {
    let fixture = try Fixture()
    _ = try fixture.ledger.acquireLease(seconds: 60)
    #expect(throws: LeaseHeld.self) { try next(fixture).run() }
    #expect(try backups(beside: fixture).isEmpty)
    try next(fixture).run(isAlive: { _ in false })
    #expect(try backups(beside: fixture).count == 1)
  }

  @Test func `a backup that cannot be written stops the migration`() throws {
    let fixture = try Fixture()
    // A folder under the name of the unfinished copy that cannot be removed as a file could.
    let part = "\(fixture.path).version-\(Ledger.schemaVersion).20260301T020000Z.backup"
    try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
    let error = #expect(throws: LedgerError.self) { try next(fixture).run() }
    #expect(error?.reason == .cannotCreate)
    #expect(try fixture.value("PRAGMA user_version") == Ledger.schemaVersion)
  }

  @Test func `an older ledger is not read before it is brought up to date`() throws {
    let fixture = try Fixture()
    try fixture.tamper("PRAGMA user_version = 0")
    #expect(throws: LedgerError.self) { try Ledger.openReadOnly(path: fixture.path) }
  }
}

/// What a schema says, without the order of columns and the writing of its text.
private struct Structure: Equatable {
  var columns: [String: [String]] = [:]
  var rules: [String: [String]] = [:]
  var derived: [String: String] = [:]

  init(_ db: Database) throws {
    for row in try Row.fetchAll(db, sql: "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL") {
      let name: String = row["name"]
      let text: String = row["sql"]
      guard row["type"] as String == "table" else {
        derived[name] = Self.plain(text)
        continue
      }
      let fields = try Row.fetchAll(db, sql: "PRAGMA table_xinfo(\(name))").map {
        "\($0["name"] as String) \($0["type"] as String) \($0["notnull"] as Int) \($0["dflt_value"] as String? ?? "") \($0["pk"] as Int)"
      }
      let references = try Row.fetchAll(db, sql: "PRAGMA foreign_key_list(\(name))").map {
        "\($0["from"] as String) → \($0["table"] as String)"
      }
      columns[name] = (fields + references).sorted()
      rules[name] = Self.checks(text)
    }
  }

  private static func plain(_ sql: String) -> String {
    sql.components(separatedBy: "\n").map { $0.components(separatedBy: "--")[0] }.joined()
      .filter { !$0.isWhitespace && $0 != "\"" }
  }

  /// The conditions of all CHECKs.
  private static func checks(_ sql: String) -> [String] {
    plain(sql).components(separatedBy: "CHECK(").dropFirst().map { rest in
      var depth = 1
      return String(
        rest.prefix { character in
          depth += character == "(" ? 1 : character == ")" ? -1 : 0
          return depth > 0
        })
    }.sorted()
  }
}
