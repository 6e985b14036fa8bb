// Unique identifiers: derived from what they name, and checked before they are used – never drawn at random.

import Crypto

/// DICOM unique identifiers (PS3.5 chapter 9 and annex B) as plain strings.
public enum UID {
  /// Longest UID the standard allows, characters (PS3.5 9.1).
  public static let maximumLength = 64

  /// A UID that depends on `parts` alone: the same parts in the same order give the same UID, on every machine.
  ///
  /// `2.25.` and the decimal value of a UUID (PS3.5 B.2). The UUID is name-based: the first 128 bits of SHA-256
  /// over the parts, each preceded by its length in UTF-8 bytes (8 bytes, big-endian) so that `["ab", "c"]` and
  /// `["a", "bc"]` differ, with version 8 and the variant set as RFC 9562 (5.8) asks.
  public static func derived(from parts: [String]) -> String {
    var hash = SHA256()
    for part in parts {
      let bytes = Array(part.utf8)
      withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: bytes)
    }
    let bits = hash.finalize().prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    let version = bits & ~(UInt128(0xF) << 76) | UInt128(8) << 76
    let uuid = version & ~(UInt128(0b11) << 62) | UInt128(0b10) << 62
    return "2.25.\(uuid)"
  }

  /// Whether `uid` may become a path component: 1 to 64 characters, only digits and dots, no empty component –
  /// hence neither `.` nor `..` nor a hidden file. Leading zeros, which real scanners write, pass.
  public static func isSafe(_ uid: String) -> Bool {
    guard (1...maximumLength).contains(uid.utf8.count) else { return false }
    return uid.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
  }
}
