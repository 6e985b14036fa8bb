// An open DICOM file: the one owner of a shim handle, and the only place that sees one.

internal import CDCMTK

/// One file, parsed to its end; pixel data stays on disk until a frame is asked for.
///
/// It cannot be copied, so it can be handed to another task but never shared by two.
public struct DICOMFile: ~Copyable {
  let handle: OpaquePointer
  /// The path it was opened at; the subject of its errors.
  public let path: String

  /// Opens and parses the whole file.
  ///
  /// Throws `unreadable`, `empty_file`, `not_dicom`, `truncated`, `damaged` or `no_data_dictionary`.
  public init(path: String) throws(DICOMError) {
    var opened: OpaquePointer?
    let status = dk_open(path, &opened)
    guard status.code == 0, let opened else { throw DICOMError(status, subject: path) }
    handle = opened
    self.path = path
  }

  deinit { dk_close(handle) }

  /// Is DCMTK's data dictionary there? Without it nothing can be opened.
  public static var isDictionaryLoaded: Bool { dk_dictionary_loaded() }

  /// Transfer Syntax UID the file is encoded in.
  public func transferSyntax() throws(DICOMError) -> String {
    var uid = [CChar](repeating: 0, count: 65)
    try check(dk_transfer_syntax(handle, &uid))
    return String(decoding: uid.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Is the attribute there, with or without a value?
  public func has(_ tag: Tag, in item: ItemPath = .root) -> Bool {
    var present = false
    return dk_has(handle, item.attribute(tag), &present).code == 0 && present
  }

  /// Number of items of a sequence, 0 when it is absent.
  public func items(_ tag: Tag, in item: ItemPath = .root) -> Int {
    var count: Int64 = 0
    return dk_items(handle, item.attribute(tag), &count).code == 0 ? Int(count) : 0
  }

  /// The attribute's value as stored, without trailing padding; nil when absent or empty.
  public func bytes(_ tag: Tag, in item: ItemPath = .root, asUTF8: Bool = false) -> [UInt8]? {
    var bytes: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &bytes) { target in
      dk_string(handle, item.attribute(tag), asUTF8, target) { context, bytes, length in
        let source = UnsafeRawBufferPointer(start: bytes, count: length)
        context?.assumingMemoryBound(to: [UInt8].self).pointee = Array(source)
      }
    }
    return status.code == 0 ? bytes : nil
  }

  /// The attribute's value as text, backslashes included; nil when absent, empty or not text.
  ///
  /// Where the character set is unknown or violated, bytes that are no UTF-8 are taken as Latin-1: perhaps not
  /// the right letters, but different values stay different.
  public func text(_ tag: Tag, in item: ItemPath = .root) -> String? {
    guard let bytes = bytes(tag, in: item, asUTF8: true) else { return nil }
    return String(validating: bytes, as: UTF8.self)
      ?? String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
  }

  /// The first value of a text attribute without surrounding spaces; nil when absent or blank.
  public func word(_ tag: Tag, in item: ItemPath = .root) -> String? {
    words(tag, in: item).first.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// All values of a text attribute without surrounding spaces; empty when absent.
  public func words(_ tag: Tag, in item: ItemPath = .root) -> [String] {
    guard let text = text(tag, in: item) else { return [] }
    return text.split(separator: "\\", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
  }

  /// All values of a numeric attribute, decimal strings included; nil when absent or empty.
  ///
  /// Throws `invalid_attribute` when a value is not a finite number.
  public func numbers(_ tag: Tag, in item: ItemPath = .root) throws(DICOMError) -> [Double]? {
    let path = item.attribute(tag)
    var values = [Double](repeating: 0, count: 8)
    var count: Int64 = 0
    var status = dk_doubles(handle, path, &values, Int64(values.count), &count)
    if status.code == 0, count > values.count {
      values = [Double](repeating: 0, count: Int(count))
      status = dk_doubles(handle, path, &values, count, &count)
    }
    if status.code == Int32(DK_MISSING) { return nil }
    try check(status)
    return Array(values.prefix(Int(count)))
  }

  /// The first value of a numeric attribute; nil when absent. Throws as `numbers`.
  public func number(_ tag: Tag, in item: ItemPath = .root) throws(DICOMError) -> Double? {
    try numbers(tag, in: item)?.first
  }

  /// A whole number that only describes; nil when absent or nonsense.
  public func integer(_ tag: Tag, in item: ItemPath = .root) -> Int? {
    guard let value = try? number(tag, in: item) else { return nil }
    return Int(exactly: value)
  }

  /// The private attribute `element` of the block that `creator` has reserved in `group` (PS3.5 7.8.1).
  public func privateTag(group: UInt16, creator: String, element: UInt8) -> Tag? {
    for block in UInt16(0x10)...0xFF where word(Tag(group, block)) == creator {
      return Tag(group, block << 8 | UInt16(element))
    }
    return nil
  }

  func check(_ status: dk_status) throws(DICOMError) {
    guard status.code != 0 else { return }
    throw DICOMError(status, subject: path)
  }
}

extension StringProtocol {
  func trimmingSpaces() -> String {
    let head = drop { $0 == " " }
    guard let last = head.lastIndex(where: { $0 != " " }) else { return "" }
    return String(head[...last])
  }
}
