// The second half of taking files in: places made durable, rows committed as one, and only then the files leave.

import DICOM
import Foundation
import Provenance

extension Intake {
  /// Files that have their places and wait for their rows.
  struct Batch {
    private(set) var placed: [Placed] = []
    /// Folders whose new names are not durable yet.
    var folders: Set<String> = []
    private var uids: Set<String> = []
    private var digests: Set<String> = []

    mutating func add(_ file: Placed) {
      placed.append(file)
      digests.insert(file.digest)
      if let uid = file.instance?.sopInstanceUID { uids.insert(uid) }
    }

    /// Does what the batch is about to record decide about this file?
    func clashes(with verdict: Verdict) -> Bool {
      let (instance, digest) = verdict.subject
      return digests.contains(digest) || instance.map { uids.contains($0.sopInstanceUID) } ?? false
    }

    /// Forgets files that are not what was judged any more.
    mutating func keep(where isUnchanged: (Placed) throws -> Bool) rethrows {
      placed = try placed.filter(isUnchanged)
    }

    mutating func removeAll() { self = Batch() }
  }

  /// Flushes, records and removes what the batch holds, and empties it.
  func commit(_ batch: inout Batch, into outcome: inout Outcome) throws {
    try batch.keep(where: isUnchanged)
    guard !batch.placed.isEmpty else { return batch.removeAll() }
    for folder in batch.folders.sorted() { try FileSystem.flushFolder(folder) }
    var refused: [(Placed, Refusal)] = []
    try ledger.transaction {
      refused = []
      for placed in batch.placed {
        if let refusal = try record(placed) { refused.append((placed, refusal)) }
      }
    }
    FaultPoint.reach(.fileRecorded)
    if batch.placed.contains(where: \.isRejected) { FaultPoint.reach(.refusalRecorded) }
    let recorded = batch.placed
    batch.removeAll()
    try settle(recorded, refused, into: &outcome)
  }

  /// Removes files that are on record from the drop folder; those that the ledger refused go to quarantine first.
  ///
  /// - Throws: the first error, after all have been tried. What could not be done the next scan finds.
  private func settle(
    _ recorded: [Placed], _ refused: [(Placed, Refusal)], into outcome: inout Outcome
  ) throws {
    var failure: (any Error)?
    for placed in recorded {
      do {
        if let (_, refusal) = refused.first(where: { $0.0.file.path == placed.file.path }) {
          try takeBack(placed, refusal)
        }
        try FileSystem.remove(placed.file.path)
        outcome.settled += 1
      } catch {
        failure = failure ?? error
        giveBack([placed.file])
      }
      FaultPoint.reach(.fileSettled)
    }
    if let failure { throw failure }
  }

  /// - Returns: why the ledger refuses an image that had been accepted by its content.
  private func record(_ placed: Placed) throws -> Refusal? {
    switch placed.row {
    case .accepted(let instance):
      if case .refused(let code, let sentence, _) = try ledger.recordAccepted(instance, run: run) {
        return Refusal(code, sentence)
      }
      if SOPClass.isRegistration(instance.sopClassUID) {
        try ledger.reopenStudies(ofPatientOf: instance.study.uid)
      }
    case .duplicate(let file): try ledger.recordDuplicate(file, run: run)
    case .skipped(let file): try ledger.recordSkipped(file, run: run)
    case .rejected(let file): try ledger.recordRejected(file, run: run)
    }
    return nil
  }

  /// A writer that still has the file open may have gone on while others were judged. Its second name shares the bytes,
  /// so it goes.
  private func isUnchanged(_ placed: Placed) throws -> Bool {
    if placed.file.again() == placed.file { return true }
    giveBack([placed.file])
    if let place = placed.place {
      try FileSystem.remove(place)
      if placed.isRejected { try FileSystem.remove(place + ".json") }
    }
    return false
  }

  /// Out of the store first: killed in between, the file is still claimed, and judged again.
  private func takeBack(_ placed: Placed, _ refusal: Refusal) throws {
    try FileSystem.remove(folders.store + "/" + (placed.storePath ?? ""))
    var places: Set<String> = []
    let again = try quarantine(placed.file, placed.instance, placed.digest, refusal, flushing: &places)
    for folder in places { try FileSystem.flushFolder(folder) }
    _ = try record(again)
  }
}

extension Intake.Placed {
  fileprivate var isRejected: Bool {
    if case .rejected = row { return true }
    return false
  }

  fileprivate var storePath: String? {
    if case .accepted(let instance) = row { return instance.path }
    return nil
  }
}

extension Verdict {
  /// Header, as far as it could be read, and digest.
  fileprivate var subject: (Instance?, String) {
    switch self {
    case .accept(let instance, let digest), .duplicate(let instance, let digest): (instance, digest)
    case .skip(let instance, let digest, _), .reject(let instance, let digest, _): (instance, digest)
    }
  }
}

extension Refusal {
  /// The file ends too early: it may be one that is still being written.
  var isIncomplete: Bool {
    Self.incomplete.contains(code)
  }

  /// Reasons of files that may still be growing.
  static let incomplete = [
    DICOMError.Reason.truncated.rawValue, DICOMError.Reason.empty.rawValue, ArchiveRefusal.damaged,
  ]
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
