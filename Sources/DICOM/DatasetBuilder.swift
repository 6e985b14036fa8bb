// A data set under construction: the one owner of the shim's handle. It knows VRs and sequences, not modules.

internal import CDCMTK

/// Puts attributes into a data set and encodes it. Errors are about `subject`.
struct DatasetBuilder: ~Copyable {
  private let handle: OpaquePointer
  /// UID of the instance being built.
  let subject: String

  init(subject: String) throws(DICOMError) {
    var created: OpaquePointer?
    let status = dk_dataset_create(&created)
    guard status.code == 0, let created else { throw DICOMError(status, subject: subject) }
    handle = created
    self.subject = subject
  }

  deinit { dk_dataset_free(handle) }

  /// Bytes as they shall be stored, values separated by backslashes.
  func put(_ tag: Tag, bytes: [UInt8]) throws(DICOMError) {
    try check(
      bytes.withUnsafeBytes {
        dk_put_text(
          handle, tag.group, tag.element, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
      })
  }

  /// ASCII text; nil or empty makes the attribute empty (type 2).
  func put(_ tag: Tag, _ text: String?) throws(DICOMError) {
    try put(tag, bytes: Array((text ?? "").utf8))
  }

  /// An IS.
  func put(_ tag: Tag, _ number: Int) throws(DICOMError) { try put(tag, String(number)) }

  /// A DS of one or more values.
  func put(_ tag: Tag, decimals: [Double]) throws(DICOMError) {
    let texts = decimals.map(DecimalString.init(_:))
    guard texts.allSatisfy({ $0 != nil }) else {
      throw DICOMError(
        .invalidAttribute, subject: subject, detail: "\(tag) would hold a number that is not finite")
    }
    try put(tag, texts.compactMap { $0?.text }.joined(separator: "\\"))
  }

  /// A US.
  func put(_ tag: Tag, word: Int) throws(DICOMError) {
    try check(dk_put_word(handle, tag.group, tag.element, UInt16(word)))
  }

  /// Pixel Data, OB for 8-bit and OW for 16-bit samples.
  func put(_ pixels: SecondaryCapture.Pixels) throws(DICOMError) {
    let bytes = pixels.bytes
    let width = pixels.bitsAllocated / 8
    let status = bytes.withUnsafeBytes { samples in
      withUnsafePointer(to: UInt16(0)) {
        dk_put_pixels(
          handle, samples.baseAddress ?? UnsafeRawPointer($0), bytes.count / width, Int32(width))
      }
    }
    try check(status)
  }

  /// A new last item of `sequence`, filled by `body`.
  func item(_ sequence: Tag, _ body: () throws(DICOMError) -> Void) throws(DICOMError) {
    try check(dk_begin_item(handle, sequence.group, sequence.element))
    try body()
    try check(dk_end_item(handle))
  }

  /// Copies a top-level attribute as it is stored; false when `source` has none.
  @discardableResult
  func copy(_ tag: Tag, from source: borrowing DICOMFile) throws(DICOMError) -> Bool {
    var copied = false
    let status = dk_copy(handle, source.handle, tag.group, tag.element, &copied)
    guard status.code == 0 else { throw DICOMError(status, subject: source.path) }
    return copied
  }

  /// The whole file: preamble, meta information, data set in Explicit VR Little Endian.
  func encoded(implementationClassUID: String, versionName: String) throws(DICOMError) -> [UInt8] {
    var file: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &file) { target in
      dk_encode(handle, implementationClassUID, versionName, target) { context, bytes, length in
        context?.assumingMemoryBound(to: [UInt8].self).pointee = Array(
          UnsafeBufferPointer(start: bytes, count: length))
      }
    }
    try check(status)
    return file
  }

  private func check(_ status: dk_status) throws(DICOMError) {
    guard status.code != 0 else { return }
    throw DICOMError(status, subject: subject)
  }
}
