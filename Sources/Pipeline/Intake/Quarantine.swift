// Where refused files go, and the note beside each that says why.

import Foundation
import Glibc

struct Quarantine: Sendable {
  let folder: String

  /// `<folder>/<reason>/<first 16 digits of the digest>-<name>`: the digest keeps equal names apart, and only
  /// harmless characters of the dropped name are kept.
  func path(for dropped: String, digest: String, reason: String) -> String {
    let name = (dropped as NSString).lastPathComponent.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
        ? character : "_"
    }
    return "\(folder)/\(reason)/\(digest.prefix(16))-\(String(name.suffix(100)))"
  }

  private struct Note: Encodable {
    let reason: String
    let sentence: String
    let original_path: String
    let sha256: String
    let size: Int64
    let time: String
  }

  /// Writes `<place>.json`, complete or not at all.
  func explain(_ place: String, file: DropFile, digest: String, why: Refusal, time: Date) throws {
    let note = Note(
      reason: why.code, sentence: why.sentence, original_path: file.originalPath, sha256: digest,
      size: file.size,
      time: time.formatted(.iso8601))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileSystem.write(try encoder.encode(note), to: place + ".json")
  }
}
