// Puts folder and ledger in agreement after a crash: what was published but not recorded, or begun and not finished.

import Foundation
import Logging
import Provenance

enum Reconciliation {
  /// Finishes or gives up every intent that an interrupted run left open. Call it while holding the lease.
  static func run(_ ledger: Ledger, logger: Logger) throws {
    var recorded = 0
    let intents = try ledger.pendingIntents()
    for intent in intents {
      if try finish(intent, ledger) {
        recorded += 1
      } else {
        try FileSystem.remove(intent.fromPath)
        try ledger.abandonIntent(intent.id)
      }
    }
    guard !intents.isEmpty else { return }
    logger.notice(
      "interrupted deliveries were settled",
      metadata: ["recorded": "\(recorded)", "given_up": "\(intents.count - recorded)"])
  }

  /// A slice whose bytes were complete is recorded; it need not be fused again.
  private static func finish(_ intent: Intent, _ ledger: Ledger) throws -> Bool {
    guard intent.kind == .publish, intent.state == .written, let publication = intent.publication,
      let job = intent.job
    else { return false }
    if !has(intent.finalPath, publication) {
      guard has(intent.fromPath, publication) else { return false }
      try FileSystem.rename(intent.fromPath, to: intent.finalPath)
    }
    try FileSystem.remove(intent.fromPath)
    try ledger.commitPublished(publication, job: job, attempt: nil, intent: intent.id)
    return true
  }

  private static func has(_ path: String, _ publication: SlicePublication) -> Bool {
    FileSystem.exists(path) && (try? FileSystem.sha256(path)) == publication.output.sha256
  }
}
