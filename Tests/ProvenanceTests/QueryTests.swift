// Free SQL answers questions and changes nothing.

import Testing

@testable import Provenance

@Suite struct QueryTests {
  @Test func `a SELECT over a view is answered with its column names`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let answer = try fixture.ledger.sql(
      "  -- how many\n /* outputs */ SELECT job, count(*) AS n FROM v_outputs GROUP BY job")
    #expect(answer.columns == ["job", "n"])
    #expect(answer.rows == [[1, 3]])
    #expect(!answer.truncated)
  }

  @Test func `more rows than the limit are cut and said to be`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let answer = try fixture.ledger.sql("SELECT seq FROM events ORDER BY seq", limit: 2)
    #expect(answer.rows.count == 2 && answer.truncated)
    #expect(try fixture.ledger.sql("SELECT 1 UNION SELECT 2", limit: 2).truncated == false)
  }

  @Test(arguments: [
    "DELETE FROM jobs", "PRAGMA user_version", "ATTACH ':memory:' AS x", "/* SELECT */ PRAGMA table_list",
    "PRAGMA journal_mode = DELETE", "ATTACH '/tmp/x' AS x", "VACUUM", "DROP VIEW v_jobs",
    "WITH x AS (SELECT 1) DELETE FROM jobs", "SELECT 1; DELETE FROM jobs", "", "SELECT nonsense FROM nowhere",
    "INSERT INTO models VALUES (9, 'n', 's', 'p', 1, 't')", "EXPLAIN SELECT 1; DROP TABLE jobs",
    "REPLACE INTO models VALUES (9, 'n', 's', 'p', 1, 't')",
  ]) func `anything but one reading statement is refused`(query: String) throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let error = #expect(throws: LedgerError.self) { try fixture.ledger.sql(query) }
    #expect(error?.reason == .query)
    #expect(error?.description.contains("Database.") == false, "the operator's words, not the library's")
    #expect(try fixture.ledger.jobs().count == 1)
    #expect(try fixture.ledger.verify().whole)
  }

  @Test func `questions do not disturb a writer`() throws {
    let fixture = try Fixture()
    let (_, job) = try fixture.finished()
    try fixture.ledger.transaction {
      try fixture.ledger.supersedeJob(job, by: nil, reason: "test")
      #expect(try fixture.ledger.sql("SELECT state FROM jobs").rows == [["done"]])
    }
  }
}
