// Unique identifiers: deriving new ones from content and judging foreign ones. Never drawn from a clock or random source.

internal import Crypto

/// Operations on DICOM unique identifiers (PS3.5 section 9).
public enum UID {
  /// A UID that depends on nothing but `parts`: `2.25.` and, in decimal, the first 128 bits of SHA-256 over the
  /// parts, each preceded by its UTF-8 length as 8 big-endian bytes (PS3.5 B.2 for the root).
  public static func derived(from parts: [String]) -> String {
    var hash = SHA256()
    for part in parts {
      let bytes = Array(part.utf8)
      withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: bytes)
    }
    var number: UInt128 = 0
    for byte in hash.finalize().prefix(16) { number = number << 8 | UInt128(byte) }
    return "2.25.\(number)"
  }

  /// May this UID become a path component? Digits and single dots, 1–64 characters, a digit at both ends.
  /// Leading zeros in a component, wrong by PS3.5 9.1 but common, are let through.
  public static func isSafe(_ uid: String) -> Bool {
    guard (1...64).contains(uid.utf8.count) else { return false }
    var previous = UInt8(ascii: ".")
    for byte in uid.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: ".") where previous != byte: break
      default: return false
      }
      previous = byte
    }
    return previous != UInt8(ascii: ".")
  }
}
