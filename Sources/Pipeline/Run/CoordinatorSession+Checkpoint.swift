// Signing the end of the ledger's chain: after every run, and now and then while a daemon works.

import Foundation
import Logging
import Provenance

extension CoordinatorSession {
  /// Seconds between two checkpoints of a daemon.
  private static let interval = 3600.0

  /// Signs the last event and logs the checkpoint: a log kept on another machine is a copy that nobody who edits the
  /// ledger can change. Does nothing where the settings name no key.
  func sign() throws {
    guard let path = settings.checkpointKey else { return }
    let checkpoint = try ledger.makeCheckpoint(key: .load(orCreate: path))
    runner.logger.info(
      "checkpoint",
      metadata: [
        "ledger": "\(checkpoint.ledger)", "seq": "\(checkpoint.seq)", "hash": "\(checkpoint.hash)",
        "time": "\(checkpoint.time)", "public_key": "\(checkpoint.publicKey)",
        "signature": "\(checkpoint.signature)",
      ])
  }

  /// The same if the last checkpoint is an hour old.
  func signIfDue() throws {
    let last = try ledger.lastCheckpoint() ?? .distantPast
    // One from the future was signed before the clock was put back.
    if !(0..<Self.interval).contains(runner.now().timeIntervalSince(last)) { try sign() }
  }
}
