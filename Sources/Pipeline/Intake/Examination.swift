// What a dropped file is, decided from its content alone; nothing is moved or recorded here.

import DICOM
import Foundation

/// What becomes of a dropped file.
enum Verdict: Sendable {
  /// An image that can take part in a fusion, or a registration of frames of reference.
  case accept(Instance, sha256: String)
  /// The same SOP Instance UID and the same bytes were taken in before.
  case duplicate(Instance, sha256: String)
  /// Not for us, and nothing wrong with it: a report, a directory, a presentation state.
  case skip(Instance?, sha256: String, Refusal)
  /// For us but not safe to use, or not DICOM at all.
  case reject(Instance?, sha256: String, Refusal)
}

struct Examination: Sendable {
  /// SHA-256 under which a SOP Instance UID was taken in, nil if it was not.
  let knownDigest: @Sendable (_ sopInstanceUID: String) throws -> String?

  /// Reads a file to its end.
  ///
  /// - Throws: `FileError` where the file cannot be read at all; what is wrong with its content is a verdict.
  func verdict(on path: String) throws -> Verdict {
    let digest = try FileSystem.sha256(path)
    let instance: Instance
    do {
      instance = try InstanceReader.read(path: path)
    } catch {
      let refusal = Refusal(error.reason.rawValue, error.detail)
      return error.reason == .notImage
        ? .skip(nil, sha256: digest, refusal) : .reject(nil, sha256: digest, refusal)
    }
    for uid in [instance.sopInstanceUID, instance.seriesInstanceUID, instance.studyInstanceUID]
    where !UID.isSafe(uid) {
      // A DICOMDIR belongs to no series; it only says where the others are.
      if !instance.isImage {
        let why = Refusal("not_image", "SOP class \(instance.sopClassUID) is not an image that can be fused")
        return .skip(nil, sha256: digest, why)
      }
      return .reject(
        nil, sha256: digest,
        Refusal("invalid_uid", "a UID of the file is empty or has other characters than digits and dots"))
    }
    if let known = try knownDigest(instance.sopInstanceUID) {
      if known == digest { return .duplicate(instance, sha256: digest) }
      return .reject(
        instance, sha256: digest,
        Refusal(
          "uid_conflict", "its SOP Instance UID was taken in before with other bytes; the first file was kept"
        ))
    }
    if !instance.isImage && instance.registration == nil {
      return .skip(
        instance, sha256: digest,
        Refusal("not_image", "SOP class \(instance.sopClassUID) is not an image that can be fused"))
    }
    return .accept(instance, sha256: digest)
  }
}
