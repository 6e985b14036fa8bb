// Whether the disks have more than their reserve left; it frees nothing.

import Foundation
import Glibc

/// One folder's file system at a moment.
public struct DiskSpace: Codable, Hashable, Sendable {
  public let folder: String
  public let path: String
  /// Free for an ordinary user, bytes.
  public let free: UInt64
  public let total: UInt64
  /// Is less free than the reserve?
  public let isLow: Bool

  enum CodingKeys: String, CodingKey {
    case folder, path, free, total
    case isLow = "low"
  }
}

/// The reserve that intake and fusion leave free on every file system they write to.
public struct FreeSpace: Sendable {
  let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  /// The file systems that are written to, one entry a folder; those that cannot be asked are left out.
  public func disks() -> [DiskSpace] {
    let folders = settings.folders
    let ledger = (settings.ledger as NSString).deletingLastPathComponent
    let all = [
      ("store", folders.store), ("output", folders.output), ("quarantine", folders.quarantine),
      ("ledger", ledger),
    ]
    return all.compactMap { name, path in
      guard let (free, total) = FileSystem.space(path) else { return nil }
      let reserve = max(settings.limits.freeBytes, settings.limits.freeFraction * Double(total))
      return DiskSpace(folder: name, path: path, free: free, total: total, isLow: Double(free) < reserve)
    }
  }

  /// The first folder that is short of space.
  func shortage() -> DiskSpace? { disks().first(where: \.isLow) }

  /// - Throws: `DiskFull` where less is free than the reserve.
  func check() throws {
    if let shortage = shortage() { throw DiskFull(sentence: shortage.sentence) }
  }
}

extension DiskSpace {
  /// For people and logs.
  var sentence: String {
    "only \(free >> 20) MiB of \(total >> 20) MiB are free for \(folder) (\(path)), which is less than the reserve"
  }
}

/// How much of the disks is left alone.
public struct LimitSettings: Codable, Hashable, Sendable {
  /// Bytes.
  public var freeBytes: Double
  /// Fraction (0…1) of the file system.
  public var freeFraction: Double
}

extension LimitSettings {
  init(_ section: YAMLSection) throws {
    try section.allow(["free_space", "free_percent"])
    freeBytes = try section.bytes("free_space")
    freeFraction = try section.quantity("free_percent", units: ["%": 0.01])
    if !(0..<1).contains(freeFraction) {
      throw section.error("free_percent", "must be from 0 % to below 100 %")
    }
  }
}
