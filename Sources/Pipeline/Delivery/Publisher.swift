// Publishes derived images exactly once: intent, part file, flush, read back, rename, ledger row. The part file is the
// worker's; everything else is done here, by the one process that writes the ledger.

import DICOM
import Foundation
import Provenance

/// The coordinator's side of publishing the slices of one job.
///
/// A commit waits for the disk, longer than a fast slice takes to be fused. So slices that are complete wait for one another,
/// a second or so, and get their names and rows together. Killed meanwhile, they are fused again.
struct Publisher {
  /// How long the first of a group waits for others.
  static let patience = Duration.seconds(1)

  let ledger: Ledger
  /// The output folder; paths in the ledger are relative to it.
  let output: String
  let job: Int64
  let attempt: Int64
  /// Intent of each slice that is still to come, by index.
  private var intents: [Int: Int64] = [:]
  /// Slices whose part files are complete.
  private var waiting: [(record: SlicePublication, intent: Int64)] = []
  /// Since when the first of them is.
  private var waitingSince = ContinuousClock.now

  init(ledger: Ledger, output: String, job: Int64, attempt: Int64) {
    self.ledger = ledger
    self.output = output
    self.job = job
    self.attempt = attempt
  }

  /// Records what is about to be written. A kill from here on leaves part files that an intent names;
  /// `Reconciliation` clears them up at the next start.
  mutating func intend(_ outputs: [PlannedOutput]) throws {
    for planned in outputs {
      intents[planned.index] = try ledger.recordPublishIntent(
        job: job, index: planned.index, sopInstanceUID: planned.sopInstanceUID,
        part: output + "/" + planned.part, final: output + "/" + planned.final)
    }
  }

  /// Puts the object of a registration in place, in the place of an equal one.
  ///
  /// - Returns: the intent, to be completed by what records the object.
  func place(_ object: RegistrationDelivery) throws -> Int64 {
    let file = output + "/" + object.output.path
    let intent = try ledger.recordPublishIntent(
      job: job, index: nil, sopInstanceUID: object.output.sop, part: file + ".part", final: file)
    try FileSystem.createFolder((file as NSString).deletingLastPathComponent)
    try FileSystem.write(object.bytes, to: file)
    guard try FileSystem.sha256(file) == object.output.sha256 else {
      throw WorkFailure(
        .failed, code: "failed",
        sentence: "the registration object, read back, is not what was written; check the disk")
    }
    FaultPoint.reach(.registrationPlaced)
    return intent
  }

  /// A part file is complete; `publishWaiting` gives it its name and its row.
  mutating func take(_ record: SlicePublication) throws {
    guard let intent = intents.removeValue(forKey: record.index) else {
      throw WorkFailure(.failed, code: "failed", sentence: "the worker wrote a slice nobody had asked for")
    }
    if waiting.isEmpty { waitingSince = .now }
    waiting.append((record, intent))
  }

  /// Publishes what waits once the first of it has waited long enough.
  ///
  /// - Returns: how many slices that were.
  mutating func publishDue() throws -> Int {
    ContinuousClock.now - waitingSince < Self.patience ? 0 : try publishWaiting()
  }

  /// Gives complete part files their names and their rows.
  ///
  /// - Returns: how many.
  mutating func publishWaiting() throws -> Int {
    guard !waiting.isEmpty else { return 0 }
    // Should anything fail, the intents stay as they are: what is recorded as written is finished by `Reconciliation`.
    defer { waiting = [] }
    try ledger.transaction {
      for (record, intent) in waiting { try ledger.markWritten(record, intent: intent) }
    }
    FaultPoint.reach(.partRecorded)
    var folders: Set<String> = []
    for (record, _) in waiting {
      let place = OutputPath(relative: record.output.path)
      try FileSystem.renameUnflushed(output + "/" + place.part, to: output + "/" + place.relative)
      folders.insert((output + "/" + place.relative as NSString).deletingLastPathComponent)
      FaultPoint.reach(.partRenamed)
    }
    for folder in folders.sorted() { try FileSystem.flushFolder(folder) }
    FaultPoint.reach(.namesFlushed)
    try ledger.transaction {
      for (record, intent) in waiting {
        try ledger.commitPublished(record, job: job, attempt: attempt, intent: intent)
      }
    }
    FaultPoint.reach(.slicePublished)
    return waiting.count
  }
}

/// Where an output lies below the output folder.
struct OutputPath {
  let relative: String
  /// The name it has until it is complete.
  let part: String

  init(study: String, series: String, instance: String) {
    precondition([study, series, instance].allSatisfy(UID.isSafe), "unsafe UIDs were refused at intake")
    self.init(relative: "\(study)/\(series)/\(instance).dcm")
  }

  init(relative: String) {
    self.relative = relative
    let (folder, name) = (
      (relative as NSString).deletingLastPathComponent, (relative as NSString).lastPathComponent
    )
    part = "\(folder)/.\((name as NSString).deletingPathExtension).part"
  }
}

/// A complete, flushed and verified file under a temporary name.
enum CaptureFile {
  static func write(_ capture: SecondaryCapture, part: String) throws -> (sha256: String, size: Int64) {
    try FileSystem.createFolder((part as NSString).deletingLastPathComponent)
    try FileSystem.remove(part)
    do {
      try capture.write(to: part)
      try FileSystem.flushFile(part)
      try SecondaryCaptureCheck.verify(path: part, against: capture)
      let size = try FileSystem.size(part)
      return (try FileSystem.sha256(part), size)
    } catch {
      // What was thrown is what matters; a part file that stays is cleared up with its intent.
      try? FileSystem.remove(part)
      throw error
    }
  }
}
