// Making and reading checkpoints; checking them is verification's business.

internal import Crypto
public import Foundation
internal import GRDB

extension Ledger {
  /// Signs the last event and keeps the checkpoint in the ledger; print it or keep a copy elsewhere as well.
  public func makeCheckpoint(key: CheckpointKey) throws -> Checkpoint {
    try write { change in
      guard let last = try change.row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"),
        let uuid: String = try change.value("SELECT uuid FROM ledger")
      else {
        throw LedgerError(.damaged, subject: path, detail: "the ledger has no events, restore a backup")
      }
      let hash: Data = last["hash"]
      let seq: Int64 = last["seq"]
      let checkpoint = try key.sign(ledger: uuid, seq: seq, hash: hash, time: change.now)
      try change.run(
        "INSERT INTO checkpoints (seq, hash, time, public_key, signature) VALUES (?, ?, ?, ?, ?)",
        [seq, hash, change.now, key.key.publicKey.rawRepresentation, bytes(hex: checkpoint.signature)])
      try change.append(
        "checkpoint.signed", subject: "checkpoint:\(seq)",
        ["public_key": .string(checkpoint.publicKey), "signature": .string(checkpoint.signature)])
      return checkpoint
    }
  }

  /// All checkpoints kept in the ledger, oldest first.
  public func checkpoints() throws -> [Checkpoint] {
    try read { try Self.checkpoints($0) }
  }

  /// When the latest checkpoint was signed; nil where none was.
  public func lastCheckpoint() throws -> Date? {
    try read { try String.fetchOne($0, sql: "SELECT time FROM checkpoints ORDER BY id DESC LIMIT 1") }
      .flatMap(Timestamp.date)
  }

  static func checkpoints(_ db: Database) throws -> [Checkpoint] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT c.*, l.uuid FROM checkpoints c CROSS JOIN ledger l ORDER BY c.id")
    return rows.map { row in
      Checkpoint(
        ledger: row["uuid"], seq: row["seq"], hash: hex(row["hash"] as Data), time: row["time"],
        publicKey: hex(row["public_key"] as Data), signature: hex(row["signature"] as Data))
    }
  }
}
