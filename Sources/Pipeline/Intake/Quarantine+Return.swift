// Files that were refused because they ended too early, and have grown since: they come back to the drop folder.

import DICOM
import Foundation
import Logging

extension Quarantine {
  /// A writer that paused for longer than `intake.incomplete_time` still holds the file it writes to, wherever its name
  /// is. What has another size now than when it was refused is given back its place at the door.
  ///
  /// - Returns: how many came back.
  @discardableResult
  func returnGrown(to inbox: String, logger: Logger) throws -> Int {
    var count = 0
    for reason in Refusal.incomplete {
      let folder = self.folder + "/" + reason
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where !name.hasSuffix(".json") {
        let place = folder + "/" + name
        guard let size = refusedSize(place), let now = DropFile(path: place), now.size > size else {
          continue
        }
        let back = inbox + "/" + name
        guard !FileSystem.exists(back) else { continue }
        try FileSystem.place(place, at: back)
        try FileSystem.flushFolder(inbox)
        try FileSystem.remove(place)
        try FileSystem.remove(place + ".json")
        count += 1
        logger.notice(
          "a refused file has grown and is looked at again", metadata: ["reason": "\(reason)"])
      }
    }
    return count
  }

  private struct Size: Decodable { let size: Int64 }

  private func refusedSize(_ place: String) -> Int64? {
    FileManager.default.contents(atPath: place + ".json")
      .flatMap { try? JSONDecoder().decode(Size.self, from: $0) }?.size
  }
}
