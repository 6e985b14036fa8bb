// Little-endian numbers out of bytes, every read checked – no meaning given to them.

/// A place in borrowed bytes. Reading past the end throws `truncated`.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  /// - Throws: `damaged` if the position is not in the bytes or at their end.
  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) throws(CheckpointError) {
    guard position >= 0, position <= bytes.count else {
      throw CheckpointError(
        .damaged, "points to byte \(position) of \(bytes.count); get the file again")
    }
    self.bytes = bytes
    self.position = position
  }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(CheckpointError) -> T {
    let range = try take(MemoryLayout<T>.size)
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self))
  }

  /// A 64-bit offset or length of the format, as an `Int`.
  mutating func offset() throws(CheckpointError) -> Int {
    guard let value = Int(exactly: try integer(UInt64.self)) else {
      throw CheckpointError(.damaged, "holds an impossible length; get the file again")
    }
    return value
  }

  /// The range of the next bytes, which are passed.
  mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= bytes.count - position else {
      throw CheckpointError(
        .truncated, "ends at byte \(bytes.count) where \(count) more are needed; get the file again")
    }
    defer { position += count }
    return position..<position + count
  }

  /// - Throws: `damaged` where these bytes are not UTF-8.
  mutating func text(_ count: Int) throws(CheckpointError) -> String {
    let range = try take(count)
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw CheckpointError(.damaged, "holds text that is not UTF-8; get the file again")
    }
    return text
  }

  /// Text up to a line feed, which is passed.
  mutating func line() throws(CheckpointError) -> String {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else {
      throw CheckpointError(.truncated, "ends inside a line; get the file again")
    }
    let line = try text(end - position)
    position = end + 1
    return line
  }
}
