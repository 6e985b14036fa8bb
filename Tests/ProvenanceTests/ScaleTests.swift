// A ledger that another program wrote from the documentation: it is accepted, and questions do not go through all of it.
// `make ledger-scale` writes a large one and measures.

import Foundation
import GRDB
import GRDBSQLite
import Testing

@testable import Provenance

@Suite struct ScaleTests {
  /// A ledger of the size asked for; nil where there is no Python.
  private func synthetic(_ fixture: Fixture, _ size: String...) throws -> String? {
    let path = fixture.folder + "/synthetic-\(size.joined()).sqlite"
    let root = DocumentationTests.root
    let script = root.appendingPathComponent("Tests/ProvenanceTests/Judge/synthetic_ledger.py").path
    let status = try Fixture.python(
      [script, root.appendingPathComponent("schema.sql").path, path] + size, in: fixture.folder)
    guard let status else {
      print("skipped: no Python")
      return nil
    }
    try #require(status == 0)
    return path
  }

  @Test func `a ledger written from its documentation alone is whole, and a change of it is found`() throws {
    let fixture = try Fixture()
    guard let path = try synthetic(fixture, "--slices", "240", "--events", "2000", "--per-job", "6") else {
      return
    }
    let verdict = try Ledger.openReadOnly(path: path).verify()
    #expect(verdict.whole, "\(verdict.broken.prefix(5))")
    #expect(verdict.events >= 2000 && verdict.records > 2000)
    #expect(try Ledger.openReadOnly(path: path).models("ct-mr").first?.kinds.isEmpty == false)
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction {
      try $0.execute(sql: "UPDATE slices SET deformation_max = 9 WHERE id = 100")
    }
    #expect(try Ledger.openReadOnly(path: path).verify().first?.what == .record)
    // What this program adds to it fits: the triggers are there, the chain goes on.
    try queue.writeWithoutTransaction {
      try $0.execute(sql: "UPDATE slices SET deformation_max = 2.25 WHERE id = 100")
    }
    try queue.close()
    let ledger = try Ledger.open(path: path)
    let run = try ledger.beginRun(command: "run", settings: nil, software: nil)
    try ledger.recordRejected(Fixture.refused("truncated"), run: run)
    #expect(try ledger.summary(run: run).instances.rejected == 1)
    #expect(try ledger.verify().whole)
  }

  @Test func `verify takes as many more steps as there is more to verify`() throws {
    let fixture = try Fixture()
    guard let small = try synthetic(fixture, "--slices", "240", "--events", "2000", "--per-job", "2"),
      let large = try synthetic(fixture, "--slices", "960", "--events", "8000", "--per-job", "2")
    else { return }
    let (fewer, less) = try steps(ofVerifying: small)
    let (more, much) = try steps(ofVerifying: large)
    #expect(Double(more) / Double(fewer) < 1.2 * Double(much) / Double(less), "\(fewer) → \(more) steps")
  }

  /// Steps of SQLite's machine, in hundreds, and how many events and records they were for.
  private func steps(ofVerifying path: String) throws -> (steps: Int, size: Int) {
    let ledger = try Ledger.openReadOnly(path: path)
    let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    count.initialize(to: 0)
    defer { count.deallocate() }
    try ledger.read { db in
      sqlite3_progress_handler(
        db.sqliteConnection, 100,
        {
          $0?.assumingMemoryBound(to: Int.self).pointee += 1
          return 0
        }, count)
    }
    let verdict = try ledger.verify()
    #expect(verdict.whole, "\(verdict.broken.prefix(3))")
    try ledger.close()
    return (count.pointee, verdict.events + verdict.records)
  }

  /// Tables that grow with every image.
  private static let large = ["events", "intake", "instances", "slices", "slice_inputs", "outputs"]

  @Test func `no question goes through a table that grows with every image`() throws {
    let fixture = try Fixture()
    guard let path = try synthetic(fixture, "--slices", "240", "--events", "2000", "--per-job", "6") else {
      return
    }
    let ledger = try Ledger.openReadOnly(path: path)
    let questions = try Questions(ledger)
    for question in questions.aboutSomething {
      for step in try plan(question, ledger) {
        #expect(!step.hasPrefix("SCAN") || step.contains(" INDEX "), "\(question.name): \(step)")
      }
    }
    for question in questions.pages {
      // A page is read from where it begins: nothing large is sorted first.
      let steps = try plan(question, ledger)
      let sorts = steps.filter { $0 == "USE TEMP B-TREE FOR ORDER BY" }
      let walks = steps.filter { $0.hasPrefix("SCAN") && !$0.contains(" INDEX ") }
      #expect(sorts.isEmpty || walks.isEmpty, "\(question.name): \(steps)")
    }
  }

  /// The steps over large tables, by alias, and the sorts of all statements that a question runs.
  private func plan(_ question: Question, _ ledger: Ledger) throws -> [String] {
    let statements = StatementLog()
    try ledger.read { db in db.trace { statements.add($0) } }
    try question.ask()
    return try ledger.read { db in
      db.trace(nil)
      return try statements.all.filter { !$0.hasPrefix("PRAGMA") && !$0.hasPrefix("BEGIN") }.flatMap { sql in
        guard ["SELECT", "WITH"].contains(where: sql.trimmingPrefix(while: \.isWhitespace).hasPrefix) else {
          return [String]()
        }
        let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
        // What is bound is not known when a statement is planned.
        statement.setUncheckedArguments(StatementArguments())
        let steps = try Row.fetchAll(statement).map { $0["detail"] as String }
        return steps.filter { step in
          step.hasPrefix("USE TEMP") || Self.large.contains { Self.reads($0, in: sql, step) }
        }
      }
    }
  }

  /// Does a step of a plan read this table, under its name or the aliases that the schema and the queries use?
  private static func reads(_ table: String, in sql: String, _ step: String) -> Bool {
    let aliases = [
      "events": ["e", "o", "d"], "intake": ["k"], "instances": ["i"], "slices": ["s"],
      "slice_inputs": ["x", "k"], "outputs": ["o"],
    ]
    let words = step.split(separator: " ")
    return words.count > 1 && ([table] + (aliases[table] ?? [])).contains(String(words[1]))
  }
}

/// The statements that a connection has run; used on its own thread only.
private final class StatementLog: @unchecked Sendable {
  private(set) var all: [String] = []

  func add(_ event: Database.TraceEvent) {
    if case .statement(let statement) = event { all.append(statement.sql) }
  }
}
