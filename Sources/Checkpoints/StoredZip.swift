// A zip archive of stored entries, as PyTorch writes checkpoints – no decompression, no writing, no paths of files.

internal import CKernels

/// Where each entry's bytes lie. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
struct StoredZip {
  struct Entry {
    let range: Range<Int>
    let crc32: UInt32
  }

  let entries: [String: Entry]
  private let bytes: UnsafeRawBufferPointer

  private static let endSignature: UInt32 = 0x0605_4B50
  private static let end64Signature: UInt32 = 0x0606_4B50
  private static let locator64Signature: UInt32 = 0x0706_4B50
  private static let directorySignature: UInt32 = 0x0201_4B50
  private static let localSignature: UInt32 = 0x0403_4B50
  /// The end record without its comment, and the longest comment.
  private static let endSize = 22
  private static let longestComment = 0xFFFF

  /// - Throws: `notZip`, `truncated`, `damaged`; `unsupported` where an entry is compressed or encrypted.
  init(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    self.bytes = bytes
    var reader = try ByteReader(bytes, at: try Self.directory(bytes))
    var found: [String: Entry] = [:]
    while try Self.peek(reader) == Self.directorySignature {
      let (name, entry) = try Self.entry(&reader)
      guard found.updateValue(entry, forKey: name) == nil else {
        throw CheckpointError(.damaged, "holds \(name) twice; get the file again")
      }
    }
    entries = found
  }

  /// The bytes of an entry, once their checksum is right.
  func contents(_ name: String) throws(CheckpointError) -> UnsafeRawBufferPointer {
    guard let entry = entries[name] else {
      throw CheckpointError(.damaged, "lacks its entry \(name); get the file again")
    }
    let contents = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
    guard fk_crc32(contents.baseAddress, contents.count) == entry.crc32 else {
      throw CheckpointError(.damaged, "has another checksum than recorded for \(name); get the file again")
    }
    return contents
  }

  private static func peek(_ reader: ByteReader) throws(CheckpointError) -> UInt32 {
    var ahead = reader
    return try ahead.integer()
  }

  /// Offset of the central directory.
  private static func directory(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) -> Int {
    let first = max(0, bytes.count - endSize - longestComment)
    var place = bytes.count - endSize
    while place >= first {
      var reader = try ByteReader(bytes, at: place)
      if try reader.integer(UInt32.self) == endSignature { break }
      place -= 1
    }
    guard place >= first else {
      throw CheckpointError(
        .notZip,
        "is not a zip archive; a checkpoint of torch before 1.6 must be loaded and saved again by a newer one, "
          + "and one in several parts must be joined first")
    }
    var reader = try ByteReader(bytes, at: place + 16)
    let offset = try reader.integer(UInt32.self)
    guard offset == .max else { return Int(offset) }
    var locator = try ByteReader(bytes, at: place - 20)
    guard try locator.integer(UInt32.self) == locator64Signature else { return Int(offset) }
    _ = try locator.take(4)
    var end = try ByteReader(bytes, at: try locator.offset())
    guard try end.integer(UInt32.self) == end64Signature else {
      throw CheckpointError(.damaged, "has no end record where one is announced; get the file again")
    }
    _ = try end.take(44)
    return try end.offset()
  }

  private static func entry(_ reader: inout ByteReader) throws(CheckpointError) -> (String, Entry) {
    _ = try reader.take(8)
    let flags = try reader.integer(UInt16.self)
    let method = try reader.integer(UInt16.self)
    _ = try reader.take(4)
    let crc32 = try reader.integer(UInt32.self)
    var (packed, size) = (Int(try reader.integer(UInt32.self)), Int(try reader.integer(UInt32.self)))
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    _ = try reader.take(8)
    var local = Int(try reader.integer(UInt32.self))
    let name = try reader.text(nameLength)
    let extra = try reader.take(extraLength)
    _ = try reader.take(commentLength)
    try widen(&size, &packed, &local, extra: UnsafeRawBufferPointer(rebasing: reader.bytes[extra]))
    guard method == 0, flags & 1 == 0, packed == size else {
      throw CheckpointError(
        .unsupported,
        "holds \(name) compressed or encrypted, which PyTorch does not write; save the checkpoint again with torch.save"
      )
    }
    return (name, Entry(range: try contents(reader.bytes, at: local, size: size, name: name), crc32: crc32))
  }

  /// Sizes and offset of more than 32 bits stand in an extra field, those that need it, in this order.
  private static func widen(
    _ size: inout Int, _ packed: inout Int, _ local: inout Int, extra: UnsafeRawBufferPointer
  ) throws(CheckpointError) {
    var reader = try ByteReader(extra)
    while extra.count - reader.position >= 4 {
      let (kind, length) = (try reader.integer(UInt16.self), Int(try reader.integer(UInt16.self)))
      let field = try reader.take(length)
      guard kind == 1 else { continue }
      var wide = try ByteReader(UnsafeRawBufferPointer(rebasing: extra[field]))
      if size == Int(UInt32.max) { size = try wide.offset() }
      if packed == Int(UInt32.max) { packed = try wide.offset() }
      if local == Int(UInt32.max) { local = try wide.offset() }
    }
  }

  /// The local header repeats the name and is followed by the contents.
  private static func contents(
    _ bytes: UnsafeRawBufferPointer, at local: Int, size: Int, name: String
  ) throws(CheckpointError) -> Range<Int> {
    var reader = try ByteReader(bytes, at: local)
    guard try reader.integer(UInt32.self) == localSignature else {
      throw CheckpointError(.damaged, "has no entry \(name) where one is announced; get the file again")
    }
    _ = try reader.take(22)
    let (nameLength, extraLength) = (try reader.integer(UInt16.self), try reader.integer(UInt16.self))
    guard try reader.text(Int(nameLength)) == name else {
      throw CheckpointError(.damaged, "gives the entry \(name) two names; get the file again")
    }
    _ = try reader.take(Int(extraLength))
    return try reader.take(size)
  }
}
