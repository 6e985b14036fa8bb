// A zip archive as a list of entries that can be written to files of our own naming; what they are is for others.

import CZip
import Foundation
import Glibc

/// How large an archive may be, unpacked.
public struct ArchiveSettings: Codable, Hashable, Sendable {
  /// Are archives taken apart? If not, they are refused like any file that is not DICOM.
  public var unpack: Bool
  /// Bytes of all entries together.
  public var size: Double
  /// Number of entries.
  public var files: Int
  /// Unpacked bytes for one packed byte, of the archive as a whole.
  public var ratio: Double
}

extension ArchiveSettings {
  init(_ section: YAMLSection) throws {
    try section.allow(["unpack", "size", "files", "ratio"])
    unpack = try section.bool("unpack")
    size = try section.bytes("size")
    files = try section.int("files", in: 1...10_000_000)
    ratio = try section.number("ratio", in: 1...100_000)
  }
}

/// An archive that is not taken apart, and why.
struct ArchiveRefusal: Error {
  /// It cannot be read as an archive, or not to its end.
  static let damaged = "archive_damaged"

  let reason: Refusal
}

struct ZipArchive: ~Copyable {
  struct Entry {
    let index: Int64
    /// As the archive says; never part of a path.
    let name: String
    /// Bytes, as the archive says.
    let size: UInt64
  }

  private let archive: OpaquePointer
  /// Files of the archive, folders left out.
  let entries: [Entry]

  /// Does the file begin as a zip archive does (APPNOTE 4.3.7)?
  static func isArchive(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 4)) == Data([0x50, 0x4B, 0x03, 0x04])
  }

  /// Opens an archive and holds what it says of itself against the limits.
  ///
  /// - Throws: `ArchiveRefusal`.
  init(path: String, limits: ArchiveSettings) throws {
    guard let archive = fz_open(path) else {
      throw ArchiveRefusal(
        reason: Refusal(ArchiveRefusal.damaged, "the zip archive is damaged, send it again"))
    }
    do { entries = try Self.entries(of: archive, packed: try FileSystem.size(path), limits) } catch {
      fz_close(archive)
      throw error
    }
    self.archive = archive
  }

  deinit { fz_close(archive) }

  private static func entries(
    of archive: OpaquePointer, packed: Int64, _ limits: ArchiveSettings
  ) throws -> [Entry] {
    let count = fz_count(archive)
    guard count <= limits.files else {
      throw ArchiveRefusal(
        reason: Refusal("archive_too_large", "\(count) files are more than intake.archives.files allows"))
    }
    var entries: [Entry] = []
    var total = 0.0
    for index in 0..<count {
      var description = fz_entry()
      guard fz_describe(archive, index, &description) == FZ_OK else {
        throw ArchiveRefusal(
          reason: Refusal(ArchiveRefusal.damaged, "the zip archive is damaged, send it again"))
      }
      let name = description.name.map { String(cString: $0) } ?? ""
      if name.hasSuffix("/") { continue }
      if description.is_encrypted != 0 {
        throw ArchiveRefusal(
          reason: Refusal("archive_encrypted", "the zip archive is encrypted, send it without a password"))
      }
      total += Double(description.size)
      entries.append(Entry(index: index, name: name, size: description.size))
    }
    guard total <= limits.size, total <= limits.ratio * Double(max(packed, 1)) else {
      throw ArchiveRefusal(
        reason: Refusal(
          "archive_too_large",
          "\(Int(total)) bytes unpacked from \(packed) are more than intake.archives.size or .ratio allows"))
    }
    return entries
  }

  /// Bytes of all entries together, as the archive says.
  var unpackedSize: UInt64 { entries.reduce(0) { $0 + $1.size } }

  /// Writes an entry to a new file, checked against the archive's CRC.
  ///
  /// - Throws: `ArchiveRefusal` where it cannot be unpacked or is longer than announced; `FileError`.
  func extract(_ entry: Entry, to path: String) throws {
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o640)
    if descriptor < 0 { throw FileError("create", path) }
    defer { close(descriptor) }
    var code: Int32 = 0
    switch Int(fz_extract(archive, entry.index, descriptor, entry.size, &code)) {
    case FZ_OK: if fsync(descriptor) != 0 { throw FileError("flush", path) }
    case FZ_WRITE: throw FileError("write", path, code: code)
    default:
      throw ArchiveRefusal(
        reason: Refusal(ArchiveRefusal.damaged, "a file of the zip archive cannot be unpacked, send it again")
      )
    }
  }
}
