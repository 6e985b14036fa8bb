// A capture as a file: encoded in memory, then written at exactly one path – no renaming, no fsync, no clock.

import Glibc

extension DICOMError.Reason {
  /// The file system is full.
  public static let noSpace = Self("no_space")
  /// A source file is no longer the instance it was taken for.
  public static let sourceChanged = Self("source_changed")
}

extension SecondaryCapture {
  /// The whole file: preamble, meta information and data set in Explicit VR Little Endian.
  ///
  /// Reads the headers of the sources' files. Throws what opening them throws, `source_changed` when the fixed
  /// file is another instance than said, `invalid_attribute` when an attribute cannot hold what it should.
  public func encoded() throws(DICOMError) -> [UInt8] {
    try checkUIDs()
    let file = try fixed.opened()
    let set = try DatasetBuilder(subject: identity.sopInstanceUID)
    try set.copyPatientAndStudy(from: file)
    try writeSeries(set, from: file)
    try writeGeometry(set, from: file)
    try writeEquipment(set)
    try writeImage(set)
    try writeReferences(set)
    try writePixels(set)
    try writeSOPCommon(set, from: file)
    try writeAcquisition(set, from: file)
    try set.putInstanceReferences(to: sources, study: fixed.studyInstanceUID)
    return try set.encoded(
      implementationClassUID: Product.implementationClassUID, versionName: product.implementationVersionName)
  }

  /// Creates the file at `path`, permissions 0640; on failure nothing stays there.
  ///
  /// Throws what `encoded()` throws, `cannot_write` (also when something is there already) or `no_space`.
  public func write(to path: String) throws(DICOMError) {
    let bytes = try encoded()
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw DICOMError(writing: path, errno: errno) }
    var problem = Self.write(bytes, to: file)
    if close(file) != 0, problem == nil { problem = errno }
    guard let problem else { return }
    unlink(path)
    throw DICOMError(writing: path, errno: problem)
  }

  /// The errno that stopped the writing, or nil.
  static func write(_ bytes: [UInt8], to file: Int32) -> Int32? {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
        let count = Glibc.write(file, start, rest.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return errno }
        rest = rest.dropFirst(count)
      }
      return nil
    }
  }

  /// A UID that is none must not get into an object, nor a study's into a path.
  private func checkUIDs() throws(DICOMError) {
    let uids =
      [identity.sopInstanceUID, identity.seriesInstanceUID, place.frameOfReferenceUID]
      + sources.flatMap { [$0.sopInstanceUID, $0.sopClassUID, $0.seriesInstanceUID, $0.studyInstanceUID] }
    guard uids.allSatisfy(UID.isSafe) else {
      throw DICOMError(
        .invalidAttribute, subject: fixed.sopInstanceUID, detail: "a UID to refer to is not a valid UID")
    }
  }
}

extension SecondaryCapture.Source {
  /// Its file. Throws `source_changed` when that is another instance by now.
  func opened() throws(DICOMError) -> DICOMFile {
    let file = try DICOMFile(path: path)
    guard file.word(.sopInstanceUID) == sopInstanceUID, file.word(.studyInstanceUID) == studyInstanceUID
    else {
      throw DICOMError(
        .sourceChanged, subject: path, detail: "is not the instance \(sopInstanceUID) any more")
    }
    return file
  }
}

extension SecondaryCapture.Product {
  /// Implementation Version Name (0002,0013), SH: at most 16 characters.
  var implementationVersionName: String { PlainText.line("FUSELINE_\(version)", limit: 16) }
}

extension DICOMError {
  init(writing path: String, errno code: Int32) {
    let reason: Reason = code == ENOSPC || code == EDQUOT ? .noSpace : .cannotWrite
    self.init(reason, subject: path, detail: "cannot be written: \(String(cString: strerror(code)))")
  }
}
