// Reading ahead of `verify`: where rows lie is what SQLite says, and nothing that SQLite relies on is disturbed.

import Foundation
import GRDB
import Testing

@testable import Provenance

@Suite struct ReadAheadTests {
  /// A ledger of several hundred pages with its pieces.
  private func large(_ fixture: Fixture, size: Int64) throws -> [VerifiedPiece] {
    let run = try fixture.ledger.beginRun(command: "run", settings: nil, software: nil)
    try fixture.ledger.transaction {
      for index in 0..<600 {
        _ = try fixture.ledger.recordAccepted(Fixture.instance("1.2.2.\(index)"), run: run)
        try fixture.ledger.recordRejected(Fixture.refused("truncated"), run: run)
      }
    }
    // What the log holds goes into the file.
    let queue = try DatabaseQueue(path: fixture.path)
    try queue.writeWithoutTransaction { _ = try $0.checkpoint(.full) }
    try queue.close()
    return try fixture.ledger.read { db in
      let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
      return try VerifiedPiece.all(db, last: last, size: size)
    }
  }

  private func extents(_ fixture: Fixture, _ pieces: [VerifiedPiece]) throws -> (
    extents: [[Range<Int>]], pageSize: Int
  ) {
    let table = try #require(TablePages(path: fixture.path))
    let roots = try fixture.ledger.read {
      try Row.fetchAll($0, sql: "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")
    }
    return (
      ReadAhead.extents(pieces, table, roots: Dictionary(uniqueKeysWithValues: roots.map { ($0[0], $0[1]) })),
      table.pageSize
    )
  }

  @Test func `what is read ahead has all pages of the tables that are walked, each once`() throws {
    let fixture = try Fixture()
    let pieces = try large(fixture, size: 200)
    #expect(pieces.count > 5)
    let (extents, pageSize) = try extents(fixture, pieces)
    let all = extents.flatMap { $0 }
    #expect(
      IndexSet(all.flatMap { $0 }.map { $0 / pageSize }).count * pageSize == all.reduce(0) { $0 + $1.count })
    // SQLite's own account of its pages.
    let leaves = try fixture.ledger.read {
      try Int.fetchAll(
        $0,
        sql: """
          SELECT pageno FROM dbstat WHERE name IN ('events', 'instances', 'intake', 'slices') AND pagetype = 'leaf'
          """)
    }
    #expect(leaves.count > 100)
    let missed = leaves.filter { page in !all.contains { $0.contains((page - 1) * pageSize) } }
    #expect(missed.isEmpty)
    #expect(extents.filter { !$0.isEmpty }.count > pieces.count / 2, "pieces lie one behind the other")
  }

  @Test func `the first rows lie in what is read for the first piece, the last in what is read for the last`()
    throws
  {
    let fixture = try Fixture()
    let pieces = try large(fixture, size: 200)
    let (extents, pageSize) = try extents(fixture, pieces)
    func page(_ order: String) throws -> Int {
      try fixture.ledger.read {
        try Int.fetchOne(
          $0,
          sql: """
            SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY path \(order) LIMIT 1
            """) ?? 0
      }
    }
    let (first, last) = (try page("ASC"), try page("DESC"))
    #expect(extents.first?.contains { $0.contains((first - 1) * pageSize) } == true)
    #expect(extents.last?.contains { $0.contains((last - 1) * pageSize) } == true)
  }

  @Test func `a file that is no ledger, or a damaged one, gives no places`() throws {
    let fixture = try Fixture()
    #expect(TablePages(path: fixture.folder + "/missing") == nil)
    let text = fixture.folder + "/text"
    try Data(repeating: 0x61, count: 50_000).write(to: URL(fileURLWithPath: text))
    let table = try #require(TablePages(path: text))
    for root in [0, 1, 2, .max] { #expect(table.extent(of: 1...9, root: root) == nil) }
    try Data(repeating: 0, count: 100).write(to: URL(fileURLWithPath: fixture.folder + "/zeros"))
    #expect(TablePages(path: fixture.folder + "/zeros") == nil)
  }

  @Test func `reading ahead comes to its end, however little memory is free and however early the walk ends`()
    throws
  {
    let fixture = try Fixture()
    let pieces = try large(fixture, size: 100)
    for budget in [1, 20_000, 1 << 30] {
      for begun in [0, 1, pieces.count] {
        let ahead = try fixture.ledger.read {
          try ReadAhead($0, path: fixture.path, pieces: pieces, budget: budget)
        }
        for _ in 0..<begun { ahead?.begin() }
        ahead?.end()
      }
    }
    #expect(
      try fixture.ledger.read { try ReadAhead($0, path: fixture.path, pieces: pieces, budget: 0) } == nil)
    #expect(try fixture.ledger.verify(piece: 100).whole)
  }

  @Test func `after verify another process still sees that the ledger is in use`() throws {
    let fixture = try Fixture()
    _ = try large(fixture, size: 100)
    #expect(try fixture.ledger.verify(piece: 100).whole)
    // The shared lock of SQLite's file format, byte 0x40000002 on, that the open connections of this process hold.
    let script = """
      import fcntl, struct, sys
      with open(sys.argv[1], "rb+") as file:
          lock = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0x40000002, 510, 0))
      sys.exit(3 if struct.unpack("hhqqi4x", lock)[0] == fcntl.F_UNLCK else 0)
      """
    let status = try Fixture.python(["-c", script, fixture.path], in: fixture.folder)
    guard let status else { return print("skipped: no Python") }
    #expect(status == 0)
  }
}
