// What lies in the drop folder right now, and which of it has stopped changing; not what it contains.

import Glibc

/// One regular file of the drop folder at the moment of a scan.
public struct DropFile: Hashable, Sendable {
  public let path: String
  public let size: Int64
  /// Time of last change of the contents, nanoseconds since 1970.
  public let modified: Int64
  /// Tells a file that was renamed over another one from the one before.
  public let inode: UInt64
}

public struct DropFolder: Sendable {
  public let path: String
  /// Shell patterns of names that are passed over, files and folders alike.
  public let ignore: [String]

  public init(path: String, ignore: [String]) {
    self.path = path
    self.ignore = ignore
  }

  /// All regular files below the folder in the order of their paths. Symbolic links are not followed.
  ///
  /// - Throws: `FileError` when the folder itself cannot be read.
  public func scan() throws -> [DropFile] {
    var files: [DropFile] = []
    try collect(path, into: &files, isTop: true)
    return files.sorted { $0.path < $1.path }
  }

  private func collect(_ folder: String, into files: inout [DropFile], isTop: Bool) throws {
    guard let handle = opendir(folder) else {
      // A sub-folder may be taken away by its writer between two looks; the drop folder itself may not.
      if !isTop && errno == ENOENT { return }
      throw FileError("read folder", folder)
    }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." || isIgnored(name) { continue }
      let path = folder + "/" + name
      var info = stat()
      if lstat(path, &info) != 0 { continue }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: try collect(path, into: &files, isTop: false)
      case S_IFREG: files.append(DropFile(path: path, info: info))
      default: break
      }
    }
  }

  private func isIgnored(_ name: String) -> Bool { ignore.contains { fnmatch($0, name, 0) == 0 } }
}

extension DropFile {
  init(path: String, info: stat) {
    self.init(
      path: path, size: Int64(info.st_size), modified: info.st_mtim.nanoseconds,
      inode: UInt64(info.st_ino))
  }

  /// The file as it is now, nil when it has gone.
  func again() -> DropFile? {
    var info = stat()
    return lstat(path, &info) == 0 ? DropFile(path: path, info: info) : nil
  }
}

extension timespec {
  fileprivate var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_nsec) }
}
