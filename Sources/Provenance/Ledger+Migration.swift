// Bringing a stored ledger up to today's schema, after a backup. What changes is listed in Migrations.

internal import Foundation
internal import GRDB

/// Leads one file from its version to the last one, wholly or not at all.
struct Migrator {
  let path: String
  let clock: @Sendable () -> Date
  var migrations = Migrations.all
  var schema = Ledger.schema

  /// Backs the file up beside itself as `<path>.version-<n>.<time>.backup`, then changes it in one transaction and
  /// says so in an event. Does nothing where another process was faster.
  /// - Throws: `LeaseHeld` while a coordinator works on it; `LedgerError`, after which the file is as it was.
  func run(owner: LeaseOwner = .current(), isAlive: (LeaseOwner) -> Bool = { LeaseOwner.isAlive($0) }) throws
  {
    var configuration = Ledger.configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    try queue.writeWithoutTransaction { db in
      try db.inTransaction(.immediate) {
        let change = Change(db: db, date: clock())
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let steps = migrations.filter { $0.version > version }
        guard let last = steps.last else { return .rollback }
        try Ledger.refuseIfLeased(db, owner: owner, now: change.now, isAlive: isAlive)
        // The write lock is held, so that what another connection reads is what will be changed.
        let backup = try backUp(version: version, change)
        try apply(steps, db)
        for step in steps { try step.rows?(change) }
        try change.append(
          "ledger.migrated", subject: "ledger:\(try change.value("SELECT uuid FROM ledger") ?? "")",
          [
            "from": .integer(Int64(version)), "schema": .integer(Int64(last.version)),
            "backup": .string(backup),
          ])
        return .commit
      }
    }
  }

  private func apply(_ steps: [Migration], _ db: Database) throws {
    for object in try Self.derived(db) where object.type != "index" { try db.execute(sql: object.removal) }
    for step in steps { try db.execute(sql: step.sql) }
    let fresh = try DatabaseQueue()
    let wanted = try fresh.writeWithoutTransaction { today in
      try today.execute(sql: schema)
      return try Self.derived(today)
    }
    // An index that is as it should be stays: to make one anew takes minutes where there are many events.
    let found = try Self.derived(db)
    for object in found where !wanted.contains(object) { try db.execute(sql: object.removal) }
    for object in wanted where !found.contains(object) { try db.execute(sql: object.sql) }
    if let broken = try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") {
      throw LedgerError(
        .damaged, subject: path,
        detail: "a row of \(broken[0] as String) refers to one that is not there, restore a backup")
    }
    if let last = steps.last { try db.execute(sql: "PRAGMA user_version = \(last.version)") }
  }

  /// A view, trigger or index: what follows from the schema alone.
  private struct Derived: Hashable {
    let type: String
    let name: String
    let sql: String

    var removal: String { "DROP \(type) \"\(name)\"" }
  }

  /// In an order they can be made in. Indexes that SQLite makes for a constraint have no text and belong to their
  /// table.
  private static func derived(_ db: Database) throws -> [Derived] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger', 'index') AND sql IS NOT NULL
        ORDER BY type, rowid
        """
    ).map { Derived(type: $0["type"], name: $0["name"], sql: $0["sql"]) }
  }

  /// A complete copy on disk, under its final name only when it is one. Returns the file's name.
  private func backUp(version: Int, _ change: Change) throws -> String {
    let stamp = change.now.filter { $0.isNumber || $0 == "T" }.prefix(15)
    let final = "\(path).version-\(version).\(stamp)Z.backup"
    let part = final + ".part"
    try? FileManager.default.removeItem(atPath: part)
    do {
      let copy = try DatabaseQueue(path: part)
      try DatabaseQueue(path: path, configuration: Ledger.configuration(readOnly: true)).backup(to: copy)
      let finding = try copy.writeWithoutTransaction { db in
        // Without a log of its own the copy is one file.
        try db.execute(sql: "PRAGMA journal_mode = DELETE")
        return try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
      }
      try copy.close()
      guard finding == "ok" else {
        throw LedgerError(
          .damaged, subject: path,
          detail: "its backup is not sound (\(finding ?? "no answer")), nothing was changed")
      }
      try settle(part, as: final)
    } catch {
      try? FileManager.default.removeItem(atPath: part)
      throw error
    }
    return (final as NSString).lastPathComponent
  }

  private func settle(_ part: String, as final: String) throws {
    chmod(part, 0o640)
    let folder = (final as NSString).deletingLastPathComponent
    let isWritten = Self.flush(part) && rename(part, final) == 0 && Self.flush(folder.isEmpty ? "." : folder)
    guard !isWritten else { return }
    throw LedgerError(
      .cannotCreate, subject: final,
      detail:
        "the ledger's backup cannot be written (\(String(cString: strerror(errno)))), nothing was changed")
  }

  private static func flush(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }
}
