// Names in the drop folder that no scan can deal with: those of other alphabets than UTF-8, and those left by a crash.

import Foundation
import Glibc

/// A file or folder whose name is not UTF-8, as old systems write them.
struct Misnamed {
  let folder: String
  let name: [UInt8]

  /// The name with all but ASCII as `%` and two hex digits, a byte each.
  var legible: String {
    name.map { byte in
      byte < 0x80 ? String(UnicodeScalar(byte)) : "%" + hex([byte]).uppercased()
    }.joined()
  }

  private var path: [CChar] {
    (Array(folder.utf8) + [UInt8(ascii: "/")] + name + [0]).map(CChar.init(bitPattern:))
  }

  /// Gives it a name that can be read, and that nobody else uses.
  ///
  /// - Returns: false where it changed within the last `quietTime` seconds: its writer may look for it by its name.
  func rename(quietTime: Double, now: Date) throws -> Bool {
    var info = stat()
    guard lstat(path, &info) == 0 else { return false }
    let changed = Double(info.st_ctim.tv_sec) + Double(info.st_ctim.tv_nsec) / 1e9
    guard now.timeIntervalSince1970 - changed >= quietTime else { return false }
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    let place = folder + "/" + number + "-" + String(legible.suffix(200))
    if Glibc.rename(path, place) != 0 && errno != ENOENT {
      throw FileError("rename to \(place) a file in", folder)
    }
    return true
  }
}

extension DropFolder {
  /// Gives files back that a pass left claimed when it was interrupted, and legible names to those that have none. Only
  /// the coordinator may: others have no claims, and must not touch his.
  ///
  /// - Returns: does a folder look otherwise now than `found` says?
  @discardableResult
  func settleNames(in found: Contents, quietTime: Double, now: Date) throws -> Bool {
    for claim in found.claims { try claim.giveBack() }
    let renamed = try found.misnamed.count { try $0.rename(quietTime: quietTime, now: now) }
    return renamed + found.claims.count > 0
  }
}
