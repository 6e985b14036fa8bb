// Taking an archive apart: its files are taken in one by one as if they had been dropped, the archive is set aside.

import DICOM
import Foundation
import Provenance

extension Intake {
  /// Where the files of an archive lie until each has its place; on the store's file system, so that none is copied.
  private var unpacking: String { folders.store + "/.unpacking" }

  /// Takes in every file of an archive, then sets the archive aside unchanged.
  ///
  /// Entries get names of ours: nothing in an archive decides where a file is written. Killed in between, the archive
  /// is still in the drop folder; what was taken in then is found to be duplicate.
  /// - Throws: `FileError` where there is no room for it, and as `takeIn`.
  func takeApart(
    _ file: DropFile, into outcome: inout Outcome, progress: ProgressHandler, mayGrow: (DropFile) -> Bool,
    shouldGoOn: () -> Bool
  ) throws {
    var batch = Batch()
    var studies: Set<String> = []
    defer { giveBack(batch.placed.map(\.file)) }
    do {
      let archive = try ZipArchive(path: file.path, limits: archives)
      try checkRoom(for: archive.unpackedSize, file)
      try FileSystem.removeTree(unpacking)
      try FileSystem.createFolder(unpacking)
      for (number, entry) in archive.entries.enumerated() where !isIgnored(entry.name) {
        progress(.takingIn(done: number, of: archive.entries.count))
        let path = "\(unpacking)/\(entry.index)"
        try archive.extract(entry, to: path)
        guard let dropped = DropFile(path: path)?.from("\(file.path)/\(entry.name)") else {
          throw FileError("look at", path)
        }
        try take(dropped, into: &batch, &outcome)
        if let study = batch.placed.last?.instance?.studyInstanceUID { studies.insert(study) }
        if batch.placed.count >= Self.batchSize {
          try commit(&batch, into: &outcome)
          if !shouldGoOn() { return }
        }
      }
      try commit(&batch, into: &outcome)
      let why = Refusal("archive", "its files were taken in one by one")
      try add(file, to: &batch) { try setAside($0, nil, $1, why, flushing: &$2) }
    } catch let refusal as ArchiveRefusal {
      try commit(&batch, into: &outcome)
      // Its list of contents is at the end of an archive: one that is still being written looks damaged.
      if refusal.reason.isIncomplete, mayGrow(file) {
        outcome.incomplete.append(file)
        return try FileSystem.removeTree(unpacking)
      }
      try add(file, to: &batch) { try quarantine($0, nil, $1, refusal.reason, flushing: &$2) }
    } catch let error as FileError {
      // The archive stays where it is, with images of every study that it has shown so far.
      for (path, held) in outcome.held where path.hasPrefix(unpacking + "/") {
        studies.formUnion(held)
        outcome.held[path] = nil
      }
      outcome.held[file.path] = studies
      throw error
    }
    try commit(&batch, into: &outcome)
    try FileSystem.removeTree(unpacking)
  }

  /// Claims the archive itself and gives it its place, unless it has changed meanwhile.
  private func add(
    _ archive: DropFile, to batch: inout Batch,
    place: (DropFile, _ digest: String, _ folders: inout Set<String>) throws -> Placed
  ) throws {
    guard let claimed = try archive.claimed() else { return }
    do { batch.add(try place(claimed, FileSystem.sha256(claimed.path), &batch.folders)) } catch {
      giveBack([claimed])
      throw error
    }
  }

  private func checkRoom(for size: UInt64, _ file: DropFile) throws {
    guard let free = FileSystem.freeBytes(folders.store), size > free else { return }
    throw FileError("unpack", file.path, code: ENOSPC)
  }

  /// Does a component of the name match a pattern of `intake.ignore`? Then it is passed over as in the drop folder.
  private func isIgnored(_ name: String) -> Bool {
    let folder = DropFolder(path: "", ignore: ignore)
    // Components that only point elsewhere name nothing, and nothing is written where they point.
    return name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).contains {
      $0 != "." && $0 != ".." && folder.isIgnored(String($0))
    }
  }
}
