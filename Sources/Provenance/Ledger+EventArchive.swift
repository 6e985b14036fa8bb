// Old events written out for keeping elsewhere, with the signature that proves them; the ledger keeps its own.

internal import Crypto
public import Foundation
internal import GRDB

/// A file of events, as the event `events.exported` says.
public struct EventArchive: Codable, Hashable, Sendable {
  /// Sequence numbers of the first and the last event in it.
  public var first: Int64
  public var last: Int64
  /// Name of the file.
  public var file: String
  public var sha256: String

  public init(first: Int64, last: Int64, file: String, sha256: String) {
    self.first = first
    self.last = last
    self.file = file
    self.sha256 = sha256
  }
}

/// A line of the file. `payload` is the text that was hashed.
private struct ArchivedEvent: Encodable {
  let seq: Int64
  let time: String
  let kind: String
  let subject: String
  let payload: String
  let prev_hash: String
  let hash: String
}

extension Ledger {
  /// The events that an export of all before a moment would write; nil where there is nothing new.
  ///
  /// It goes on where the last export ended, and stops at the first event that is too young.
  public func exportableEvents(before moment: Date) throws -> ClosedRange<Int64>? {
    try read { db in
      let done = try Int64.fetchOne(
        db,
        sql: """
          SELECT json_extract(payload, '$.last') FROM events WHERE subject = 'events:export' ORDER BY seq DESC LIMIT 1
          """)
      let young = try Int64.fetchOne(
        db, sql: "SELECT min(seq) FROM events WHERE time >= ?", arguments: [Timestamp.text(moment)])
      let last = try young ?? (Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0) + 1
      let first = (done ?? 0) + 1
      return first < last ? first...(last - 1) : nil
    }
  }

  /// Writes events into `folder`, a JSON document a line, the last line being a checkpoint of the last event where
  /// there is a key; complete and on disk, or not there at all.
  /// - Throws: `LedgerError.Reason.cannotCreate`.
  public func exportEvents(_ range: ClosedRange<Int64>, to folder: String, key: CheckpointKey?) throws
    -> EventArchive
  {
    let name = String(format: "events-%010lld-%010lld.jsonl", range.lowerBound, range.upperBound)
    let part = "\(folder)/\(name).part"
    var hash = SHA256()
    do {
      let file = try OwnFile(creating: part)
      try read { db in
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT seq, time, kind, subject, payload, prev_hash, hash FROM events WHERE seq BETWEEN ? AND ?
            ORDER BY seq
            """, arguments: [range.lowerBound, range.upperBound])
        while let row = try rows.next() {
          try file.write(
            ArchivedEvent(
              seq: row[0], time: row[1], kind: row[2], subject: row[3], payload: row[4],
              prev_hash: hex(row[5] as Data),
              hash: hex(row[6] as Data)), &hash)
        }
        if let key { try file.write(try Self.checkpoint(db, of: range.upperBound, key, now: clock()), &hash) }
      }
      try file.settle(as: "\(folder)/\(name)")
    } catch let error as CocoaError {
      try? FileManager.default.removeItem(atPath: part)
      throw LedgerError(
        .cannotCreate, subject: part, detail: "the events cannot be written (\(error.localizedDescription))")
    }
    let archive = EventArchive(
      first: range.lowerBound, last: range.upperBound, file: name, sha256: hex(hash.finalize()))
    try write {
      _ = try $0.append(
        "events.exported", subject: "events:export",
        [
          "first": .integer(archive.first), "last": .integer(archive.last), "file": .string(name),
          "sha256": .string(archive.sha256),
        ])
    }
    return archive
  }

  private static func checkpoint(_ db: Database, of seq: Int64, _ key: CheckpointKey, now: Date) throws
    -> Checkpoint
  {
    let uuid = try String.fetchOne(db, sql: "SELECT uuid FROM ledger") ?? ""
    let digest =
      try Data.fetchOne(db, sql: "SELECT hash FROM events WHERE seq = ?", arguments: [seq]) ?? Data()
    return try key.sign(ledger: uuid, seq: seq, hash: digest, time: Timestamp.text(now))
  }
}

/// A file that is written from its beginning to its end.
private struct OwnFile {
  let path: String
  let handle: FileHandle

  init(creating path: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw CocoaError(errno == ENOSPC ? .fileWriteOutOfSpace : .fileWriteNoPermission)
    }
    self.path = path
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  func write(_ document: some Encodable, _ hash: inout SHA256) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try encoder.encode(document) + Data("\n".utf8)
    hash.update(data: line)
    try handle.write(contentsOf: line)
  }

  func settle(as final: String) throws {
    try handle.synchronize()
    try handle.close()
    guard rename(path, final) == 0 else { throw CocoaError(.fileWriteUnknown) }
    let folder = open((final as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
