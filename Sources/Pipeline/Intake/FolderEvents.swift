// Hints of the file system that something in the drop folder has changed; what has changed only a scan can tell.

import Foundation
import Glibc
import Logging

/// Watches folders by inotify(7). Never waits: events are asked for between two pieces of work.
final class FolderEvents {
  private let descriptor: Int32
  private var watched: Set<String> = []
  private let logger: Logger
  private var hasComplained = false

  /// File systems whose changes by other machines raise no events here.
  private static let remote: Set<String> = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "fuse", "fuseblk",
  ]

  /// - Returns: nil where the folder is on a network share or events are not to be had; it is logged.
  init?(folder: String, logger: Logger) {
    self.logger = logger
    if let type = Mounts.fileSystem(of: folder), Self.remote.contains(type) || type.hasPrefix("fuse.") {
      logger.notice(
        "the drop folder is on a share: it is scanned, without events", metadata: ["type": "\(type)"])
      return nil
    }
    descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if descriptor < 0 {
      logger.notice(
        "no events of the file system: the drop folder is scanned", metadata: ["errno": "\(errno)"])
      return nil
    }
  }

  deinit { close(descriptor) }

  /// Watches these folders; those it does not know yet are new.
  func watch(_ folders: [String]) {
    for folder in folders where !watched.contains(folder) {
      let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW)
      if inotify_add_watch(descriptor, folder, mask) >= 0 { continue }
      // Over the system's limit, the folders without a watch are found by the next scan.
      if !hasComplained {
        logger.notice("not every folder raises events; scans find the rest", metadata: ["errno": "\(errno)"])
      }
      hasComplained = true
    }
    // Folders that went away lose their watch by themselves; one of the same name is a new one.
    watched = Set(folders)
  }

  /// Has anything happened since the last call? Lost events count: an overflow means that something has.
  func takeAny() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    var any = false
    while read(descriptor, &buffer, buffer.count) > 0 { any = true }
    return any
  }
}

/// What is mounted where, as proc(5) tells in /proc/self/mountinfo.
enum Mounts {
  /// Type of the file system that holds a path, such as `ext4` or `nfs4`; nil where the system does not tell.
  static func fileSystem(of path: String, table: String? = nil) -> String? {
    let real = realpath(path, nil).map { pointer in
      defer { free(pointer) }
      return String(cString: pointer)
    }
    let table = table ?? (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8))
    var best: (point: String, type: String)?
    for line in (table ?? "").split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
      let point = fields[4].replacing("\\040", with: " ")
      let holds = point == "/" || (real ?? path) == point || (real ?? path).hasPrefix(point + "/")
      // A later mount on the same point hides the earlier one.
      if holds, point.count >= best?.point.count ?? 0 { best = (String(point), String(fields[dash + 1])) }
    }
    return best?.type
  }
}
