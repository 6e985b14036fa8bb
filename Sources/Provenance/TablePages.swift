// Where the rows of a table lie in the ledger's file, by SQLite's file format; reading rows is SQLite's business. It is a hint:
// a page may be newer in the write-ahead log, and whatever does not look right is left out.

internal import Foundation
internal import Synchronization

/// The tables of a database file as trees of pages (SQLite file format, 1.6).
struct TablePages: Sendable {
  private let file: Int32
  /// Bytes.
  let pageSize: Int
  private let pages: Int

  /// Nil where there is no such file.
  init?(path: String) {
    guard let file = Self.kept(path), let header = Self.read(file, at: 0, count: 100), header.count == 100
    else {
      return nil
    }
    // 1 stands for 65,536, which two bytes cannot say.
    let size = Self.number(header, 16, bytes: 2)
    pageSize = size == 1 ? 65_536 : size
    guard pageSize >= 512 else { return nil }
    self.file = file
    pages = Self.number(header, 28, bytes: 4)
  }

  /// Where the rows with these keys lie, from the first one's page to the last one's, in bytes: all of the file between them,
  /// since rows that were written in turn lie among those of other tables. Nil where the tree cannot be followed.
  func extent(of keys: ClosedRange<Int64>, root: Int) -> Range<Int>? {
    guard let first = leaf(of: keys.lowerBound, root: root), let last = leaf(of: keys.upperBound, root: root)
    else { return nil }
    return (min(first, last) - 1) * pageSize..<max(first, last) * pageSize
  }

  /// Bytes that are asked for in one go.
  static let request = 1 << 20
  /// As much as Linux takes of a request with its default settings (`read_ahead_kb`).
  private static let sure = 128 << 10

  /// Asks the system to read a part of the file, at most `request` bytes, and does not wait for it.
  func advise(_ extent: Range<Int>) {
    posix_fadvise(file, off_t(extent.lowerBound), off_t(extent.count), POSIX_FADV_WILLNEED)
    // A device with a lower limit forgets the rest of a request; what is being read is passed over.
    for start in stride(from: extent.lowerBound, to: extent.upperBound, by: Self.sure) {
      let count = min(Self.sure, extent.upperBound - start)
      posix_fadvise(file, off_t(start), off_t(count), POSIX_FADV_WILLNEED)
    }
  }

  /// The number of the page that holds the row with this key, or would.
  private func leaf(of key: Int64, root: Int) -> Int? {
    var page = root
    // No tree is that deep.
    for _ in 0..<20 {
      guard (1...pages).contains(page),
        let bytes = Self.read(file, at: (page - 1) * pageSize, count: pageSize),
        bytes.count == pageSize
      else { return nil }
      let header = page == 1 ? 100 : 0
      switch bytes[header] {
      case 13: return page
      case 5: page = child(bytes, header, key)
      default: return nil
      }
    }
    return nil
  }

  /// The child of an inner page below which a key lies. Each cell is a child and the last key below it; what comes after all
  /// of them is the right-most child's.
  private func child(_ bytes: [UInt8], _ header: Int, _ key: Int64) -> Int {
    for cell in 0..<Self.number(bytes, header + 3, bytes: 2) {
      let at = Self.number(bytes, header + 12 + 2 * cell, bytes: 2)
      if Self.varint(bytes, at + 4) >= key { return Self.number(bytes, at, bytes: 4) }
    }
    return Self.number(bytes, header + 8, bytes: 4)
  }

  /// Big-endian; what lies outside is zero.
  private static func number(_ bytes: [UInt8], _ at: Int, bytes count: Int) -> Int {
    (at..<at + count).reduce(0) { $0 << 8 | (bytes.indices.contains($1) ? Int(bytes[$1]) : 0) }
  }

  /// Seven bits a byte, the highest first, while the eighth is set; all eight of a ninth byte.
  private static func varint(_ bytes: [UInt8], _ at: Int) -> Int64 {
    var value: UInt64 = 0
    for index in 0..<9 {
      let byte = UInt64(number(bytes, at + index, bytes: 1))
      if index == 8 { return Int64(bitPattern: value << 8 | byte) }
      value = value << 7 | byte & 0x7F
      if byte & 0x80 == 0 { break }
    }
    return Int64(bitPattern: value)
  }

  private static func read(_ file: Int32, at offset: Int, count: Int) -> [UInt8]? {
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, pread(file, buffer.baseAddress, count, off_t(offset)))
    }
    return bytes.isEmpty ? nil : bytes
  }

  // MARK: The file

  private struct Identity: Hashable {
    let device: dev_t
    let number: ino_t
  }
  private static let files = Mutex<[Identity: Int32]>([:])

  /// A descriptor that is never closed: closing one gives up the locks that SQLite holds on the file through others (POSIX
  /// fcntl), and another process might take the log away from under a reader.
  private static func kept(_ path: String) -> Int32? {
    var found = stat()
    guard stat(path, &found) == 0 else { return nil }
    let identity = Identity(device: found.st_dev, number: found.st_ino)
    return files.withLock { files in
      if let known = files[identity] { return known }
      let file = open(path, O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return nil }
      files[identity] = file
      return file
    }
  }
}
