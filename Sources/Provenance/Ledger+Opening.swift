// How a ledger is made and opened, and what is refused at the door. Nothing here touches a file that is not ours.

public import Foundation
internal import GRDB

extension Ledger {
  /// Opens the ledger at `path` for writing, making it (mode 0640) where there is none.
  ///
  /// WAL, `synchronous = FULL`, foreign keys on; waits up to ten seconds for another process. A ledger of an earlier
  /// schema is backed up and brought up to date first.
  /// - Parameters:
  ///   - clock: the source of every time that is written.
  ///   - check: run SQLite's `quick_check` first; takes about a second per GB.
  /// - Throws: `LedgerError`: the folder is missing or not writable, the file is something else, is damaged, or
  ///   was written by a later version; `LeaseHeld` where it is of an earlier one and a coordinator works on it.
  public static func open(
    path: String, clock: @escaping @Sendable () -> Date = { Date() }, check: Bool = true
  ) throws -> Ledger {
    try createIfMissing(path)
    guard access(path, W_OK) == 0 else {
      throw LedgerError(
        .readOnly, subject: path, detail: "the ledger cannot be written, check owner and mode")
    }
    do {
      try settleJournal(path)
      let version = try examine(path, check: check)
      if let version, version < schemaVersion { try Migrator(path: path, clock: clock).run() }
      let pool = try DatabasePool(path: path, configuration: configuration())
      try pool.writeWithoutTransaction {
        // GRDB sets NORMAL when it turns WAL on: a commit would not wait for the disk.
        try $0.execute(sql: "PRAGMA synchronous = FULL")
        // What undoes a statement that fails; it would be written to a file from 64 KiB on, sooner than 64 images are in.
        try $0.execute(sql: "PRAGMA temp_store = MEMORY")
      }
      let ledger = Ledger(path: path, clock: clock, writer: pool, reader: pool)
      if version == nil { try ledger.createSchema() }
      return ledger
    } catch let error as DatabaseError { throw LedgerError(error, path: path) }
  }

  /// Opens an existing ledger for reading, beside a writer or on a medium that cannot be written.
  /// - Throws: `LedgerError` as `open(path:clock:check:)` does.
  public static func openReadOnly(path: String, clock: @escaping @Sendable () -> Date = { Date() }) throws
    -> Ledger
  {
    guard FileManager.default.fileExists(atPath: path) else {
      throw LedgerError(
        .missing, subject: path, detail: "there is no ledger here, check the path or run once first")
    }
    do {
      guard let version = try examine(path, check: false) else {
        throw LedgerError(.notALedger, subject: path, detail: "the database is empty, run once first")
      }
      guard version == schemaVersion else {
        throw LedgerError(
          .olderSchema, subject: path,
          detail: "the ledger has schema version \(version) and this program reads \(schemaVersion), "
            + "the next run brings it up to date after a backup")
      }
      return Ledger(path: path, clock: clock, writer: nil, reader: try readOnlyDatabase(path))
    } catch let error as DatabaseError { throw LedgerError(error, path: path) }
  }

  static func configuration(readOnly: Bool = false) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = readOnly
    configuration.busyMode = .timeout(10)
    return configuration
  }

  /// A connection that only reads. SQLite needs the `-shm` file for a WAL database; in a folder where it can
  /// neither find nor make one, the file is opened as immutable, which is right when nobody can write it.
  static func readOnlyDatabase(_ path: String) throws -> DatabaseQueue {
    let log = (try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int) ?? 0
    let folder = (path as NSString).deletingLastPathComponent
    return try readOnlyDatabase(path, frozen: log == 0 && access(folder.isEmpty ? "." : folder, W_OK) != 0)
  }

  static func readOnlyDatabase(_ path: String, frozen: Bool) throws -> DatabaseQueue {
    guard frozen else { return try DatabaseQueue(path: path, configuration: configuration(readOnly: true)) }
    let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "?#%"))
    let absolute = URL(fileURLWithPath: path).path
    let escaped = absolute.addingPercentEncoding(withAllowedCharacters: allowed) ?? absolute
    return try DatabaseQueue(
      path: "file:\(escaped)?immutable=1", configuration: configuration(readOnly: true))
  }

  private static func createIfMissing(_ path: String) throws {
    let descriptor = Foundation.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o640)
    if descriptor >= 0 {
      Foundation.close(descriptor)
      return
    }
    guard errno != EEXIST else { return }
    throw LedgerError(
      .cannotCreate, subject: path,
      detail: "the ledger cannot be made here (\(String(cString: strerror(errno)))), check the folder")
  }

  /// A program that ends while it turns a new file into a WAL database leaves a rollback journal, which only a connection
  /// that may write can settle. A file that names another program is left to that.
  private static func settleJournal(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path + "-journal"),
      let handle = FileHandle(forReadingAtPath: path)
    else { return }
    defer { try? handle.close() }
    // The application id stands at byte 68 of the header (SQLite file format, 1.3).
    let header = try handle.read(upToCount: 72) ?? Data()
    let application = header.count < 72 ? 0 : header.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    guard application == 0 || application == applicationID else { return }
    let queue = try DatabaseQueue(path: path, configuration: configuration())
    try queue.read { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
    try queue.close()
  }

  /// Looks at a file without changing it. Returns the version of its schema, nil for an empty database.
  private static func examine(_ path: String, check: Bool) throws -> Int? {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw LedgerError(.unreadable, subject: path, detail: "the ledger cannot be read, check owner and mode")
    }
    let magic = try handle.read(upToCount: 16) ?? Data()
    try handle.close()
    // An empty file is what is left when the program is killed right after making it.
    if magic.isEmpty { return nil }
    guard magic == Data("SQLite format 3\0".utf8) else {
      throw LedgerError(
        .notALedger, subject: path, detail: "this file is not an SQLite database, choose another ledger path")
    }
    return try readOnlyDatabase(path).read { db in
      let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
      let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      if tables == 0, application == 0 || application == applicationID { return nil }
      guard application == applicationID else {
        throw LedgerError(
          .notALedger, subject: path,
          detail: "this SQLite database belongs to another program, choose another ledger path")
      }
      let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      try refuseVersion(version, path: path)
      if check { try quickCheck(db, path: path) }
      return version
    }
  }

  private static func refuseVersion(_ version: Int, path: String) throws {
    guard version > 0 else {
      throw LedgerError(
        .damaged, subject: path,
        detail: "the ledger does not say which schema it has, put it aside and restore a backup")
    }
    guard version > schemaVersion else { return }
    throw LedgerError(
      .newerSchema, subject: path,
      detail: "the ledger has schema version \(version) and this program knows \(schemaVersion), "
        + "use the program that wrote it or a later one")
  }

  private static func quickCheck(_ db: Database, path: String) throws {
    let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
    guard finding != "ok" else { return }
    throw LedgerError(
      .damaged, subject: path,
      detail: "the database is damaged (\(finding)), put it aside and restore a backup")
  }

  /// The text of schema.sql.
  static var schema: String { String(decoding: PackageResources.schema_sql, as: UTF8.self) }

  private func createSchema() throws {
    try write { change in
      // Another process may have been faster between the look and the lock.
      guard try change.value("SELECT count(*) FROM sqlite_master WHERE name = 'ledger'") == 0 else { return }
      try change.db.execute(sql: Self.schema)
      let uuid = UUID().uuidString.lowercased()
      try change.run(
        "INSERT INTO ledger (id, uuid, created, salt) VALUES (1, ?, ?, randomblob(32))", [uuid, change.now])
      try change.append(
        "ledger.created", subject: "ledger:\(uuid)",
        ["schema": .integer(Int64(Self.schemaVersion))])
    }
  }
}
