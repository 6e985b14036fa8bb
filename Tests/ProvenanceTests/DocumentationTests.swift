// What docs/ledger.md and docs/audit-cookbook.md say is true.

import Foundation
import Testing

@testable import Provenance

@Suite struct DocumentationTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardized

  private func page(_ name: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
  }

  private func blocks(_ language: String, of text: String) -> [String] {
    text.components(separatedBy: "```\(language)\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }

  /// Runs Python lines in a folder; nil where there is no Python.
  private func python(_ lines: String, in folder: String) throws -> Int32? {
    try Fixture.python(["-c", lines], in: folder)
  }

  @Test func `the Python lines of the ledger's page agree with our hash chain, and see a change`() throws {
    let lines = try #require(blocks("python", of: page("ledger.md")).first)
    let fixture = try Fixture()
    _ = try fixture.finished()
    guard let status = try python(lines, in: fixture.folder) else {
      print("skipped: no Python")
      return
    }
    #expect(status == 0)
    for sql in TamperTests.unlock { try fixture.tamper(sql) }
    try fixture.tamper("UPDATE events SET payload = '{}' WHERE seq = 5")
    #expect(try python(lines, in: fixture.folder) == 1)
  }

  @Test func `every SQL question of the cookbook is answered`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let text = try page("audit-cookbook.md")
    let questions = text.components(separatedBy: "fuseline audit sql \"").dropFirst().compactMap {
      $0.components(separatedBy: "\"").first
    }
    #expect(questions.count == 3)
    for question in questions { #expect(try !fixture.ledger.sql(question).rows.isEmpty, "\(question)") }
  }

  @Test func `every table and view is explained or listed`() throws {
    let fixture = try Fixture()
    let text = try page("ledger.md")
    let names = try fixture.ledger.sql(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'")
    for name in names.rows.map({ Listing.plain($0[0]) }) { #expect(text.contains("`\(name)`"), "\(name)") }
  }
}
