// Pictures as files: read whole, written beside their place and renamed into it.

import Glibc

extension Picture {
  /// Reads the PNG at `path`; see `init(png:name:)` for what is accepted.
  public init(path: String) throws(PictureError) {
    try self.init(png: Self.contents(of: path), name: path)
  }

  /// Writes a PNG that is either complete at `path` or not there: the bytes go to `path` + `.part`, which is then
  /// renamed. Replaces what was there; the folder must exist. Permissions 0640.
  public func write(to path: String, depth: Depth = .eight) throws(PictureError) {
    let bytes = try png(depth: depth, name: path)
    let part = path + ".part"
    let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw PictureError(writing: path, errno: errno) }
    var problem = Self.write(bytes, to: file)
    if close(file) != 0, problem == nil { problem = errno }
    if problem == nil, rename(part, path) != 0 { problem = errno }
    if let problem {
      unlink(part)
      throw PictureError(writing: path, errno: problem)
    }
  }

  /// The errno that stopped the writing, or nil.
  private static func write(_ bytes: [UInt8], to file: Int32) -> Int32? {
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while offset < buffer.count {
        let count = Glibc.write(file, buffer.baseAddress! + offset, buffer.count - offset)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return errno }
        offset += count
      }
      return nil
    }
  }

  /// The first byte of every PNG, never that of a text.
  private static let firstByte: UInt8 = 0x89

  private static func contents(of path: String) throws(PictureError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw PictureError(reading: path, errno: errno) }
    defer { close(file) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw PictureError(reading: path, errno: errno) }
      content.append(contentsOf: chunk[..<count])
      // A file that does not begin like a PNG is refused by its first bytes; no need to read gigabytes of it.
      if count == 0 || content[0] != firstByte { return content }
    }
  }
}

extension PictureError {
  fileprivate init(reading path: String, errno code: Int32) {
    self.init(.unreadable, subject: path, detail: "cannot be read: \(String(cString: strerror(code)))")
  }

  fileprivate init(writing path: String, errno code: Int32) {
    let reason: Reason = code == ENOSPC || code == EDQUOT ? .noSpace : .cannotWrite
    self.init(reason, subject: path, detail: "cannot be written: \(String(cString: strerror(code)))")
  }
}
