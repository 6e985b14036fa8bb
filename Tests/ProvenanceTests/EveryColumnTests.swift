// No column of any table can be edited, and no row deleted or inserted, without audit verify seeing it – but for those
// listed here with the reason.

import Foundation
import GRDB
import Testing

@testable import Provenance

@Suite struct EveryColumnTests {
  /// Tables that only say what is being done; what was done is elsewhere.
  private static let working: Set<String> = ["intents", "lease", "marks"]

  /// Columns that are no evidence, and why. docs/ledger.md lists them too.
  static let excepted = [
    "checkpoints.id": "nothing refers to it", "outputs.id": "nothing refers to it",
    "models.path": "a file may move; its digest says what it is",
    "studies.arrivals": "what is still to be done", "studies.worked_off": "what is still to be done",
    "series.last_arrival": "what is still to be done", "releases.removed": "what is still to be done",
  ]

  /// A ledger with a row in every table.
  private func filled() throws -> Fixture {
    let fixture = try Fixture()
    let ledger = fixture.ledger
    let (run, done) = try fixture.finished()
    let (again, job) = try fixture.planned(inputs: "others")
    _ = try ledger.startAttempt(job: job.id, run: again)
    try ledger.failJob(job.id, reason: "timeout", sentence: "not done in time", retryAt: fixture.clock.now)
    try ledger.supersedeJob(job.id, by: done, reason: "other_inputs_model_or_settings")
    let due = try #require(
      try ledger.dueStudies(retry: RetryTime(now: fixture.clock.now, longestPause: 3600)).first)
    try ledger.markWorkedOff(due, key: "rules")
    fixture.clock.advance(60)
    let later = fixture.clock.now
    let series = try #require(try ledger.releasableSeries(before: later).first)
    #expect(try ledger.release(series, before: later, run: run))
    try ledger.markRemoved([1])
    _ = try ledger.recordAccepted(Fixture.instance("1.2.3.0", series: "1.2.3", modality: "CT"), run: run)
    try ledger.recordRejected(Fixture.refused("truncated", sop: "1.9.9"), run: run)
    try ledger.recordSkipped(Fixture.refused("not_an_image", path: "inbox/y"), run: nil)
    var other = Fixture.invented
    other.birthDate = "19600101"
    _ = try ledger.recordAccepted(
      Fixture.instance("1.2.8.0", series: "1.2.8", study: "1.2.7", patient: other), run: run)
    try ledger.setSeries("1.2.8", state: .rejected, reason: "gap_in_series", sentence: "send it again")
    _ = try ledger.recordIntent(.store, from: "inbox/z", to: "store/z")
    try ledger.setMark("alert", to: later)
    _ = try ledger.acquireLease(seconds: 60)
    // What nothing refers to any more when it is cut off shows by what comes after it: a run ends with a checkpoint.
    _ = try ledger.makeCheckpoint(key: .load(orCreate: fixture.folder + "/key"))
    let verdict = try ledger.verify()
    #expect(verdict.whole, "\(verdict.broken)")
    return fixture
  }

  @Test func `an edit of any column of any table is found`() throws {
    let fixture = try filled()
    let forger = try Forger(fixture.path)
    var unseen: [String] = []
    for table in try forger.tables() where !Self.working.contains(table.name) {
      #expect(table.rows > 0, "\(table.name) is empty")
      for (index, column) in table.columns.enumerated() {
        // Of the first row and the last one by turns.
        let undo = try forger.edit(table, column, row: index.isMultiple(of: 2) ? 0 : table.rows - 1)
        if try fixture.ledger.verify().whole { unseen.append("\(table.name).\(column.name)") }
        try undo()
      }
    }
    #expect(Set(unseen) == Set(Self.excepted.keys), "\(unseen)")
    #expect(try fixture.ledger.verify().whole, "the forger has left traces")
  }

  @Test func `a row deleted from any table is missed`() throws {
    let fixture = try filled()
    let forger = try Forger(fixture.path)
    for table in try forger.tables() where !Self.working.contains(table.name) {
      for place in Set([0, table.rows - 1]) {
        let undo = try forger.delete(table, row: place)
        #expect(try !fixture.ledger.verify().whole, "\(table.name) row \(place)")
        try undo()
      }
    }
    #expect(try fixture.ledger.verify().whole, "the forger has left traces")
  }

  @Test func `a row inserted into any table stands out`() throws {
    let fixture = try filled()
    let forger = try Forger(fixture.path)
    for table in try forger.tables() where !Self.working.contains(table.name) {
      let undo = try forger.insert(table)
      let verdict = try fixture.ledger.verify()
      // A second copy of a signed statement says nothing new.
      #expect(verdict.whole == (table.name == "checkpoints"), "\(table.name)")
      try undo()
    }
    #expect(try fixture.ledger.verify().whole, "the forger has left traces")
  }

  @Test func `the ledger's page lists the columns that are no evidence`() throws {
    let page = try String(
      contentsOf: DocumentationTests.root.appendingPathComponent("docs/ledger.md"), encoding: .utf8)
    for name in Array(Self.excepted.keys) + Self.working { #expect(page.contains("`\(name)`"), "\(name)") }
  }
}

/// Somebody with an SQLite shell who has switched off all that SQLite would refuse.
private final class Forger {
  struct Column {
    let name: String
    let type: String
  }
  struct Table {
    let name: String
    let columns: [Column]
    let rows: Int
  }

  private let queue: DatabaseQueue

  init(_ path: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    queue = try DatabaseQueue(path: path, configuration: configuration)
    try execute("PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF")
    for name in try strings("SELECT name FROM sqlite_master WHERE type = 'trigger'") {
      try execute("DROP TRIGGER \(name)")
    }
  }

  deinit { try? queue.close() }

  private func execute(_ sql: String) throws {
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
  }
  private func strings(_ sql: String) throws -> [String] {
    try queue.read { try String.fetchAll($0, sql: sql) }
  }

  func tables() throws -> [Table] {
    try strings(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    )
    .map { name in
      try queue.read { db in
        let columns = try Row.fetchAll(db, sql: "PRAGMA table_info(\(name))").map {
          Column(name: $0["name"], type: $0["type"])
        }
        return Table(
          name: name, columns: columns, rows: try Int.fetchOne(db, sql: "SELECT count(*) FROM \(name)") ?? 0)
      }
    }
  }

  /// Puts a row aside; returns the condition that finds it.
  private func keep(_ table: Table, row: Int) throws {
    try execute(
      """
      DROP TABLE IF EXISTS temp.kept;
      CREATE TEMP TABLE kept AS SELECT * FROM \(table.name) ORDER BY 1, 2, 3 LIMIT 1 OFFSET \(row)
      """)
  }

  private func isKept(_ table: Table) -> String {
    let same = table.columns.map { "t.\($0.name) IS k.\($0.name)" }.joined(separator: " AND ")
    return "EXISTS (SELECT 1 FROM temp.kept k WHERE \(same))"
  }

  private func putBack(_ table: Table) throws {
    try execute("INSERT INTO \(table.name) SELECT * FROM temp.kept")
  }

  /// Changes one value; returns what undoes it.
  func edit(_ table: Table, _ column: Column, row: Int) throws -> () throws -> Void {
    try keep(table, row: row)
    let old = "(SELECT \(column.name) FROM temp.kept)"
    let values = [
      "INTEGER": "coalesce(\(old) + 1000, 1000)", "REAL": "coalesce(\(old) + 0.5, 0.5)",
      "TEXT": column.name.hasSuffix("_json") || column.name == "payload"
        ? #"'{"forged":1}'"# : "coalesce(\(old) || 'x', 'x')", "BLOB": "randomblob(32)",
    ]
    let value = try #require(values[column.type])
    try execute("DELETE FROM \(table.name) AS t WHERE \(isKept(table))")
    let columns = table.columns.map { $0.name == column.name ? value : $0.name }.joined(separator: ", ")
    try execute("CREATE TEMP TABLE forged AS SELECT \(columns) FROM temp.kept")
    try execute("INSERT INTO \(table.name) SELECT * FROM temp.forged")
    return { [self] in
      let forged = "SELECT * FROM temp.forged"
      let names = table.columns.map { "t.\($0.name)" }.joined(separator: ", ")
      try execute("DELETE FROM \(table.name) AS t WHERE EXISTS (SELECT \(names) INTERSECT \(forged))")
      try execute("DROP TABLE temp.forged")
      try putBack(table)
    }
  }

  func delete(_ table: Table, row: Int) throws -> () throws -> Void {
    try keep(table, row: row)
    try execute("DELETE FROM \(table.name) AS t WHERE \(isKept(table))")
    return { [self] in try putBack(table) }
  }

  /// Adds a copy of the first row under keys of its own.
  func insert(_ table: Table) throws -> () throws -> Void {
    try keep(table, row: 0)
    let keys = try queue.read { db in
      try Set(
        String.fetchAll(
          db,
          sql: """
            SELECT c.name FROM pragma_index_list(?) i JOIN pragma_index_info(i.name) c WHERE i."unique"
              AND c.name IS NOT NULL
            UNION SELECT name FROM pragma_table_info(?) WHERE pk = 1
            """, arguments: [table.name, table.name]))
    }
    let columns = table.columns.map { column in
      guard keys.contains(column.name) || (table.name == "patients" && column.name == "name") else {
        return column.name
      }
      return column.type == "INTEGER" ? "\(column.name) + 1000" : "\(column.name) || 'x'"
    }
    try execute("CREATE TEMP TABLE forged AS SELECT \(columns.joined(separator: ", ")) FROM temp.kept")
    try execute("INSERT INTO \(table.name) SELECT * FROM temp.forged")
    return { [self] in
      let names = table.columns.map { "t.\($0.name)" }.joined(separator: ", ")
      try execute(
        "DELETE FROM \(table.name) AS t WHERE EXISTS (SELECT \(names) INTERSECT SELECT * FROM temp.forged)")
      try execute("DROP TABLE temp.forged")
    }
  }
}
