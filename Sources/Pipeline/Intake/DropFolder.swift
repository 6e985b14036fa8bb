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
  /// Where a file that was unpacked came from, or the name it had before it was claimed.
  public var origin: String?

  /// The path people know the file by.
  public var originalPath: String { origin ?? path }
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
  public func scan() throws -> [DropFile] { try contents().files }

  /// What a scan sees.
  struct Contents {
    /// In the order of their paths.
    var files: [DropFile] = []
    /// Those that files can lie in, the drop folder first.
    var folders: [String] = []
    /// Files under names of ours.
    var claims: [DropFile] = []
    /// Files and folders whose names are not UTF-8; nothing else can be done with them than rename them.
    var misnamed: [Misnamed] = []
  }

  /// All regular files, the folders they can lie in, and what is claimed.
  func contents() throws -> Contents {
    var found = Contents()
    try collect(path, into: &found, isTop: true)
    found.files.sort { $0.path < $1.path }
    return found
  }

  private func collect(_ folder: String, into found: inout Contents, isTop: Bool) throws {
    guard let handle = opendir(folder) else {
      // A sub-folder may be taken away by its writer between two looks; the drop folder itself may not.
      if !isTop && errno == ENOENT { return }
      throw FileError("read folder", folder)
    }
    defer { closedir(handle) }
    found.folders.append(folder)
    while let entry = readdir(handle) {
      let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let misnamed = Misnamed(folder: folder, name: bytes)
        if !isIgnored(misnamed.legible) { found.misnamed.append(misnamed) }
        continue
      }
      let isClaim = ClaimName.original(of: name) != nil
      if name == "." || name == ".." || !isClaim && isIgnored(name) { continue }
      let path = folder + "/" + name
      var info = stat()
      if lstat(path, &info) != 0 { continue }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: try collect(path, into: &found, isTop: false)
      case S_IFREG where isClaim: found.claims.append(DropFile(path: path, info: info))
      case S_IFREG: found.files.append(DropFile(path: path, info: info))
      default: break
      }
    }
  }

  func isIgnored(_ name: String) -> Bool { ignore.contains { fnmatch($0, name, 0) == 0 } }
}

extension DropFile {
  /// The file as it is now, nil where there is none.
  init?(path: String) {
    var info = stat()
    guard lstat(path, &info) == 0 else { return nil }
    self.init(path: path, info: info)
  }

  func from(_ origin: String) -> DropFile {
    var file = self
    file.origin = origin
    return file
  }

  init(path: String, info: stat) {
    self.init(
      path: path, size: Int64(info.st_size), modified: info.st_mtim.nanoseconds,
      inode: UInt64(info.st_ino))
  }

  /// The file as it is now, nil when it has gone.
  func again() -> DropFile? {
    var now = DropFile(path: path)
    now?.origin = origin
    return now
  }
}

extension timespec {
  fileprivate var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_nsec) }
}
