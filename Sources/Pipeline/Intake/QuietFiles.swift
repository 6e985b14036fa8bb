// Which scanned files have stopped changing; the rule that keeps half-written files out.

import Foundation

/// Files that may be taken now, and how many were left because they still change.
struct QuietFiles {
  let ready: [DropFile]
  let changing: [DropFile]

  /// Files untouched for the quiet time are ready at first sight; the younger ones are looked at again after it.
  ///
  /// The age counts from the last change of the contents; copies that keep the time of their original set it
  /// when they end, so a file that is being written is young. A time in the future (clocks apart) is young too.
  static func wait(
    for folder: DropFolder, quietTime: Double, now: @Sendable () -> Date, sleep: (Double) async throws -> Void
  ) async throws -> QuietFiles {
    let first = try folder.scan()
    let moment = Int64(now().timeIntervalSince1970 * 1e9)
    let quiet = Int64(quietTime * 1e9)
    let isOld = { (file: DropFile) in moment - file.modified >= quiet }
    let young = first.filter { !isOld($0) }
    if young.isEmpty { return QuietFiles(ready: first, changing: []) }
    try await sleep(quietTime)
    let unchanged = Set(young.filter { $0.again() == $0 })
    return QuietFiles(
      ready: first.filter { isOld($0) || unchanged.contains($0) },
      changing: young.filter { !unchanged.contains($0) })
  }
}
