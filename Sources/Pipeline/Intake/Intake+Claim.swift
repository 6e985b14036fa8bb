// The name under which a judged file waits until it is on record: nobody else knows it, so that what is removed in the
// end is what was taken in. It decides nothing about what the file is.

import Foundation
import Glibc
import Logging

/// `.fuseline-<16 hex digits>-<name>`, beside the name its writer gave it: a rename there is one step on any file system.
enum ClaimName {
  private static let mark = ".fuseline-"
  private static let digits = 16
  /// Longest name of a file, bytes (NAME_MAX of Linux).
  private static let longest = 255

  static func make(for name: String) -> String {
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    let start = mark + String(repeating: "0", count: digits - number.count) + number + "-"
    // The end of a name that would be too long; whole characters only.
    var rest = Substring(name)
    while rest.utf8.count > longest - start.utf8.count { rest = rest.dropFirst() }
    return start + rest
  }

  /// The name that was given up for this one, nil where it is not one of ours.
  static func original(of name: String) -> String? {
    guard name.hasPrefix(mark) else { return nil }
    let rest = name.dropFirst(mark.count)
    guard rest.count > digits + 1, rest.prefix(digits).allSatisfy(\.isHexDigit),
      rest.dropFirst(digits).first == "-"
    else { return nil }
    return String(rest.dropFirst(digits + 1))
  }
}

extension DropFile {
  /// Is it under a name of ours?
  var isClaimed: Bool { ClaimName.original(of: (path as NSString).lastPathComponent) != nil }

  /// Renames the file so that no writer can open, replace or remove it by its name any more.
  ///
  /// - Returns: nil where what lay there is not what was scanned: it has its name back then, and is for the next scan.
  /// - Throws: `FileError` where the folder does not allow it.
  func claimed() throws -> DropFile? {
    // What was unpacked from an archive lies where nobody else writes.
    if origin != nil { return again() == self ? self : nil }
    let folder = (path as NSString).deletingLastPathComponent
    let claim = folder + "/" + ClaimName.make(for: (path as NSString).lastPathComponent)
    if Glibc.rename(path, claim) != 0 {
      if errno == ENOENT { return nil }
      throw FileError("claim", path)
    }
    guard let now = DropFile(path: claim) else { return nil }
    if now.inode == inode && now.size == size && now.modified == modified { return now.from(path) }
    try now.giveBack()
    return nil
  }

  /// Gives a claimed file the name back that it had; where there is another file by now, one that nobody else uses.
  func giveBack() throws {
    let folder = (path as NSString).deletingLastPathComponent
    let claim = (path as NSString).lastPathComponent
    guard let name = ClaimName.original(of: claim) else { return }
    // Unlike rename(2), link(2) never replaces a file.
    if link(path, folder + "/" + name) == 0 { return try FileSystem.remove(path) }
    if errno == ENOENT { return }
    // There is a new file of that name, or a share or an owner that does not allow links.
    let other = folder + "/" + claim.dropFirst(".fuseline-".count)
    if Glibc.rename(path, other) != 0 && errno != ENOENT { throw FileError("give its name back to", path) }
  }
}

extension Intake {
  /// Gives files back that were claimed and cannot be recorded now. One that keeps the name of ours comes back with the
  /// next scan.
  func giveBack(_ files: [DropFile]) {
    for file in files where file.isClaimed {
      do { try file.giveBack() } catch {
        logger.error("a file stays claimed until the next scan", metadata: ["why": "\(error)"])
      }
    }
  }
}
