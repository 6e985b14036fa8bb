// Takes dropped files in: each gets its place in the store or in quarantine, then its row, and only then leaves.

import DICOM
import Foundation
import Logging
import Provenance

/// Takes in files that have stopped changing, some dozens at a time: their places are flushed and their rows committed
/// together, since every one of them alone would wait for the disk.
struct Intake: Sendable {
  /// Files whose rows are committed together.
  static let batchSize = 64

  let folders: Settings.Folders
  let archives: ArchiveSettings
  /// Patterns of names that are passed over inside archives as well.
  let ignore: [String]
  let ledger: Ledger
  let run: Int64
  let logger: Logger
  let now: @Sendable () -> Date

  /// What is done with one file once it has its place.
  struct Placed {
    enum Row {
      case accepted(AcceptedInstance)
      case duplicate(RefusedFile)
      case skipped(RefusedFile)
      case rejected(RefusedFile)
    }
    let file: DropFile
    let digest: String
    let instance: Instance?
    let row: Row
    /// Where the file lies now besides; nil where it lay there before.
    let place: String?
  }

  /// What became of some files.
  struct Outcome {
    /// Files that could not be moved; the next run tries them again.
    var failures: [FileError] = []
    /// Studies of files that could not be moved, by the path in the drop folder: without them a study is not complete.
    var held: [String: Set<String>] = [:]
    /// Files that end too early and may still be growing; they stay in the drop folder.
    var incomplete: [DropFile] = []
    /// Files that have left the drop folder.
    var settled = 0
  }

  /// Takes in every file; one that cannot be moved stays in the drop folder and is reported.
  ///
  /// - Parameters:
  ///   - mayGrow: may a file that ends too early still be growing? It is left where it is then.
  ///   - shouldGoOn: asked before every batch.
  /// - Throws: `FileError` when the disk is full, `LedgerError` when the ledger cannot be written: going on would
  ///   only repeat the failure. What was taken in until then is on record.
  func takeIn(
    _ files: [DropFile], progress: ProgressHandler, mayGrow: (DropFile) -> Bool = { _ in false },
    shouldGoOn: () -> Bool = { true }
  ) throws -> Outcome {
    var outcome = Outcome()
    var batch = Batch()
    defer { giveBack(batch.placed.map(\.file)) }
    for (index, file) in files.enumerated() {
      if batch.placed.count >= Self.batchSize {
        try commit(&batch, into: &outcome)
        if !shouldGoOn() { return outcome }
      }
      do {
        if archives.unpack, ZipArchive.isArchive(file.path) {
          try commit(&batch, into: &outcome)
          try takeApart(file, into: &outcome, progress: progress, mayGrow: mayGrow, shouldGoOn: shouldGoOn)
        } else {
          try take(file, into: &batch, &outcome, mayGrow: mayGrow)
        }
      } catch let error as FileError where !error.isNoSpace {
        report(error, into: &outcome)
      } catch {
        try commit(&batch, into: &outcome)
        throw error
      }
      progress(.takingIn(done: index + 1, of: files.count))
    }
    try commit(&batch, into: &outcome)
    return outcome
  }

  /// Judges one file and gives it its place, unless it may still grow.
  func take(
    _ file: DropFile, into batch: inout Batch, _ outcome: inout Outcome,
    mayGrow: (DropFile) -> Bool = { _ in false }
  ) throws {
    var verdict = try examination.verdict(on: file.path)
    if case .reject(_, _, let why) = verdict, why.isIncomplete, mayGrow(file) {
      outcome.incomplete.append(file)
      return
    }
    if batch.clashes(with: verdict) {
      // The rows committed here decide what this file is.
      try commit(&batch, into: &outcome)
      verdict = try examination.verdict(on: file.path)
    }
    FaultPoint.reach(.fileJudged)
    do {
      // A file that changed while it was read is not what was judged: it is looked at again by the next pass.
      guard let claimed = try file.claimed() else { return }
      FaultPoint.reach(.fileClaimed)
      do { batch.add(try place(claimed, verdict, flushing: &batch.folders)) } catch {
        giveBack([claimed])
        throw error
      }
    } catch let error as FileError {
      if case .accept(let instance, _) = verdict { outcome.held[file.path] = [instance.studyInstanceUID] }
      throw error
    }
  }

  private var examination: Examination {
    Examination { [ledger] uid in try ledger.digest(sopInstanceUID: uid) }
  }

  private func report(_ error: FileError, into outcome: inout Outcome) {
    logger.error(
      "a file stays in the drop folder",
      metadata: ["operation": "\(error.operation)", "code": "\(error.code)"])
    outcome.failures.append(error)
  }

  private func place(_ file: DropFile, _ verdict: Verdict, flushing folders: inout Set<String>) throws
    -> Placed
  {
    switch verdict {
    case .accept(let instance, let digest):
      let place = StorePath(instance).relative
      let isNew = try put(
        file.path, at: self.folders.store + "/" + place, digest: digest, flushing: &folders)
      FaultPoint.reach(.filePlaced)
      let row = try AcceptedInstance(instance, file: file, digest: digest, path: place)
      return Placed(
        file: file, digest: digest, instance: instance, row: .accepted(row),
        place: isNew ? self.folders.store + "/" + place : nil)
    case .duplicate(let instance, let digest):
      // The store holds the same bytes; should its file have gone missing, this one takes its place.
      let stored =
        try ledger.instance(sopInstanceUID: instance.sopInstanceUID)?.path ?? StorePath(instance).relative
      _ = try put(file.path, at: self.folders.store + "/" + stored, digest: digest, flushing: &folders)
      let why = Refusal("duplicate_identical", "the same bytes were taken in before")
      return Placed(
        file: file, digest: digest, instance: instance,
        row: .duplicate(RefusedFile(file, instance, digest, why, place: nil)), place: nil)
    case .skip(let instance, let digest, let why):
      return try setAside(file, instance, digest, why, flushing: &folders)
    case .reject(let instance, let digest, let why):
      return try quarantine(file, instance, digest, why, flushing: &folders)
    }
  }

  /// Skipped files are kept by their digest: their UIDs are not looked after, so two may share one.
  func setAside(
    _ file: DropFile, _ instance: Instance?, _ digest: String, _ why: Refusal,
    flushing folders: inout Set<String>
  ) throws -> Placed {
    let place = "\(self.folders.store)/skipped/\(digest.prefix(2))/\(digest).dcm"
    let earlier = try ledger.lastIntake(sha256: digest)?.state
    let isNew = try put(file.path, at: place, digest: digest, flushing: &folders)
    if earlier == .skipped || earlier == .duplicate {
      let same = Refusal("duplicate_identical", "the same bytes were skipped before")
      return Placed(
        file: file, digest: digest, instance: instance,
        row: .duplicate(RefusedFile(file, instance, digest, same, place: place)), place: nil)
    }
    return Placed(
      file: file, digest: digest, instance: instance,
      row: .skipped(RefusedFile(file, instance, digest, why, place: place)), place: isNew ? place : nil)
  }

  func quarantine(
    _ file: DropFile, _ instance: Instance?, _ digest: String, _ why: Refusal,
    flushing folders: inout Set<String>
  ) throws -> Placed {
    let quarantine = Quarantine(folder: self.folders.quarantine)
    let place = quarantine.path(for: file.originalPath, digest: digest, reason: why.code)
    let isNew = try put(file.path, at: place, digest: digest, flushing: &folders)
    FaultPoint.reach(.refusalPlaced)
    try quarantine.explain(place, file: file, digest: digest, why: why, time: now())
    FaultPoint.reach(.refusalExplained)
    logger.info(
      "a file was refused",
      metadata: ["reason": "\(why.code)", "why": "\(why.sentence)", "sha256": "\(digest.prefix(16))"])
    return Placed(
      file: file, digest: digest, instance: instance,
      row: .rejected(RefusedFile(file, instance, digest, why, place: place)), place: isNew ? place : nil)
  }

  /// Gives the file its second name; one left there by an interrupted pass is as good, if its bytes are the same.
  ///
  /// - Returns: was it not there before?
  private func put(
    _ path: String, at place: String, digest: String, flushing folders: inout Set<String>
  ) throws -> Bool {
    let isThere = FileSystem.exists(place)
    if isThere {
      guard try FileSystem.sha256(place) == digest else {
        throw FileError("store, because other bytes lie there, at \(place) the file", path, code: EEXIST)
      }
    } else {
      try FileSystem.place(path, at: place)
    }
    // Also where it was there already: whoever put it there may have been killed before flushing.
    folders.insert((place as NSString).deletingLastPathComponent)
    return !isThere
  }
}
