// The few file operations the pipeline's promises rest on: link, rename and flush, with errors that name the path.

import Crypto
import Foundation
import Glibc

/// A file operation that failed: what was tried, on which path, and the system's reason.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let operation: String
  public let path: String
  /// `errno` of the failed call.
  public let code: Int32

  init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  public var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }
  /// The disk or the quota is full; trying again later can help.
  public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
}

enum FileSystem {
  /// Modes of what the pipeline creates: images of patients are for the owner and his group only.
  static let folderMode: mode_t = 0o750

  static func createFolder(_ path: String) throws {
    var info = stat()
    if stat(path, &info) == 0 {
      if info.st_mode & S_IFMT == S_IFDIR { return }
      throw FileError("use as a folder", path, code: ENOTDIR)
    }
    let parent = (path as NSString).deletingLastPathComponent
    if !parent.isEmpty && parent != path { try createFolder(parent) }
    if mkdir(path, folderMode) != 0 && errno != EEXIST { throw FileError("create folder", path) }
    try flushFolder(parent.isEmpty ? "." : parent)
  }

  /// Makes the names in a folder durable.
  static func flushFolder(_ path: String) throws { try flush(path, flags: O_RDONLY | O_DIRECTORY) }

  /// Makes the bytes of a file durable.
  static func flushFile(_ path: String) throws { try flush(path, flags: O_RDONLY) }

  private static func flush(_ path: String, flags: Int32) throws {
    let descriptor = open(path, flags | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open", path) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 { throw FileError("flush", path) }
  }

  static func rename(_ from: String, to: String) throws {
    try renameUnflushed(from, to: to)
    try flushFolder((to as NSString).deletingLastPathComponent)
  }

  /// The name is durable once its folder is flushed.
  static func renameUnflushed(_ from: String, to: String) throws {
    if Glibc.rename(from, to) != 0 { throw FileError("rename to \(to) the file", from) }
  }

  /// Writes a small file, complete or not at all, in place of one that may be there.
  static func write(_ data: Data, to path: String, mode: mode_t = 0o640) throws {
    let part = path + ".part"
    try remove(part)
    let descriptor = open(part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o640)
    if descriptor < 0 { throw FileError("create", part) }
    defer { close(descriptor) }
    if fchmod(descriptor, mode) != 0 { throw FileError("set the mode of", part) }
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw FileError("write", part) }
      rest = rest.dropFirst(count)
    }
    if fsync(descriptor) != 0 { throw FileError("flush", part) }
    try rename(part, to: path)
  }

  static func remove(_ path: String) throws {
    if unlink(path) != 0 && errno != ENOENT { throw FileError("remove", path) }
  }

  /// Removes a folder of ours with everything in it, if it is there.
  static func removeTree(_ path: String) throws {
    guard exists(path) else { return }
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw FileError("remove", path, code: EIO)
    }
  }

  static func size(_ path: String) throws -> Int64 {
    var info = stat()
    if stat(path, &info) != 0 { throw FileError("look at", path) }
    return Int64(info.st_size)
  }

  static func checkWritable(_ folder: String) throws {
    if !isWritable(folder) { throw FileError("write into folder", folder) }
  }

  static func isWritable(_ folder: String) -> Bool { access(folder, W_OK | X_OK) == 0 }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Gives the file at `from` a second name `to` that did not exist, leaving the first in place. The name is durable
  /// once its folder is flushed.
  ///
  /// A hard link where both are on one file system, else a flushed copy that is renamed into place.
  static func place(_ from: String, at to: String) throws {
    try createFolder((to as NSString).deletingLastPathComponent)
    if link(from, to) == 0 { return }
    guard [EXDEV, EPERM, EOPNOTSUPP, EMLINK].contains(errno) else {
      throw FileError("store as \(to) the file", from)
    }
    let part = to + ".part"
    try remove(part)
    try copy(from, to: part)
    try flushFile(part)
    try rename(part, to: to)
  }

  private static func copy(_ from: String, to: String) throws {
    do { try FileManager.default.copyItem(atPath: from, toPath: to) } catch let error as CocoaError {
      let code: Int32 = error.code == .fileWriteOutOfSpace ? ENOSPC : EIO
      throw FileError("copy to \(to) the file", from, code: code)
    }
  }

  /// Free bytes for an ordinary user on the file system that holds `path`, or its nearest existing parent.
  static func freeBytes(_ path: String) -> UInt64? { space(path)?.free }

  /// Free and all bytes of the file system that holds `path`, or its nearest existing parent.
  static func space(_ path: String) -> (free: UInt64, total: UInt64)? {
    var info = statvfs()
    var candidate = path
    while statvfs(candidate, &info) != 0 {
      let parent = (candidate as NSString).deletingLastPathComponent
      if parent == candidate || parent.isEmpty { return nil }
      candidate = parent
    }
    let block = UInt64(info.f_frsize)
    return (UInt64(info.f_bavail) * block, UInt64(info.f_blocks) * block)
  }

  /// SHA-256 of a file's bytes, lower-case hex, read in pieces of 1 MiB.
  static func sha256(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open", path) }
    defer { close(descriptor) }
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw FileError("read", path) }
      if count == 0 { break }
      buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    return hex(hash.finalize())
  }
}

/// Bytes as lower-case hex.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
