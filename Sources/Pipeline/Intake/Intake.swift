// Takes dropped files in: each gets its place in the store or in quarantine, then its row, and only then leaves.

import DICOM
import Foundation
import Logging
import Provenance

/// One pass over files that have stopped changing.
struct Intake: Sendable {
  let folders: Settings.Folders
  let ledger: Ledger
  let run: Int64
  let logger: Logger
  let now: @Sendable () -> Date

  /// Takes in every file; one that cannot be moved stays in the drop folder and is reported.
  ///
  /// - Returns: the failures, which the next run tries again.
  /// - Throws: `FileError` when the disk is full, `LedgerError` when the ledger cannot be written: going on would
  ///   only repeat the failure.
  func takeIn(_ files: [DropFile], progress: ProgressHandler) throws -> [FileError] {
    let examination = Examination { [ledger] uid in try ledger.instance(sopInstanceUID: uid)?.sha256 }
    var failures: [FileError] = []
    for (index, file) in files.enumerated() {
      do {
        try settle(file, examination.verdict(on: file.path))
      } catch let error as FileError where !error.isNoSpace {
        logger.error(
          "a file stays in the drop folder",
          metadata: ["operation": "\(error.operation)", "code": "\(error.code)"])
        failures.append(error)
      }
      progress(.takingIn(done: index + 1, of: files.count))
    }
    return failures
  }

  private func settle(_ file: DropFile, _ verdict: Verdict) throws {
    // A file that changed while it was read is not what was judged: it is looked at again by the next pass.
    guard file.again() == file else { return }
    FaultPoint.reach(.fileJudged)
    switch verdict {
    case .accept(let instance, let digest): try accept(file, instance, digest)
    case .duplicate(let instance, let digest): try dropDuplicate(file, instance, digest)
    case .skip(let instance, let digest, let why): try setAside(file, instance, digest, why)
    case .reject(let instance, let digest, let why): try quarantine(file, instance, digest, why)
    }
  }

  private func accept(_ file: DropFile, _ instance: Instance, _ digest: String) throws {
    let place = StorePath(instance)
    try put(file.path, at: folders.store + "/" + place.relative, digest: digest)
    FaultPoint.reach(.filePlaced)
    let answer = try ledger.recordAccepted(
      AcceptedInstance(instance, file: file, digest: digest, path: place.relative), run: run)
    FaultPoint.reach(.fileRecorded)
    if case .refused(let code, let sentence, _) = answer {
      // Out of the store first: killed in between, the file is still in the drop folder and judged again.
      try FileSystem.remove(folders.store + "/" + place.relative)
      return try quarantine(file, instance, digest, Refusal(code, sentence))
    }
    try FileSystem.remove(file.path)
    FaultPoint.reach(.fileSettled)
  }

  /// The store already holds the same bytes; should its file have gone missing, this one takes its place.
  private func dropDuplicate(_ file: DropFile, _ instance: Instance, _ digest: String) throws {
    let stored =
      try ledger.instance(sopInstanceUID: instance.sopInstanceUID)?.path ?? StorePath(instance).relative
    try put(file.path, at: folders.store + "/" + stored, digest: digest)
    let why = Refusal("duplicate_identical", "the same bytes were taken in before")
    try ledger.recordDuplicate(RefusedFile(file, instance, digest, why, place: nil), run: run)
    try FileSystem.remove(file.path)
  }

  /// Skipped files are kept by their digest: their UIDs are not looked after, so two may share one.
  private func setAside(
    _ file: DropFile, _ instance: Instance?, _ digest: String, _ why: Refusal
  ) throws {
    let place = "\(folders.store)/skipped/\(digest.prefix(2))/\(digest).dcm"
    let earlier = try ledger.lastIntake(sha256: digest)?.state
    let isAgain = earlier == .skipped || earlier == .duplicate
    try put(file.path, at: place, digest: digest)
    if isAgain {
      let same = Refusal("duplicate_identical", "the same bytes were skipped before")
      try ledger.recordDuplicate(RefusedFile(file, instance, digest, same, place: place), run: run)
    } else {
      try ledger.recordSkipped(RefusedFile(file, instance, digest, why, place: place), run: run)
    }
    try FileSystem.remove(file.path)
  }

  private func quarantine(_ file: DropFile, _ instance: Instance?, _ digest: String, _ why: Refusal) throws {
    let quarantine = Quarantine(folder: folders.quarantine)
    let place = quarantine.path(for: file.path, digest: digest, reason: why.code)
    try put(file.path, at: place, digest: digest)
    FaultPoint.reach(.refusalPlaced)
    try quarantine.explain(place, file: file, digest: digest, why: why, time: now())
    FaultPoint.reach(.refusalExplained)
    try ledger.recordRejected(RefusedFile(file, instance, digest, why, place: place), run: run)
    FaultPoint.reach(.refusalRecorded)
    try FileSystem.remove(file.path)
    logger.info(
      "a file was refused",
      metadata: ["reason": "\(why.code)", "why": "\(why.sentence)", "sha256": "\(digest.prefix(16))"])
  }

  /// Gives the file its second name; one left there by an interrupted pass is as good, if its bytes are the same.
  private func put(_ path: String, at place: String, digest: String) throws {
    if FileSystem.exists(place) {
      if try FileSystem.sha256(place) == digest { return }
      throw FileError("store, because other bytes lie there, at \(place) the file", path, code: EEXIST)
    }
    try FileSystem.place(path, at: place)
  }
}

/// Where an instance lies in the store; only made of UIDs that were found safe.
struct StorePath {
  let relative: String

  init(_ instance: Instance) {
    let parts = [instance.studyInstanceUID, instance.seriesInstanceUID, instance.sopInstanceUID]
    precondition(parts.allSatisfy(UID.isSafe), "unsafe UIDs are refused before a path is made of them")
    relative = parts.joined(separator: "/") + ".dcm"
  }
}
