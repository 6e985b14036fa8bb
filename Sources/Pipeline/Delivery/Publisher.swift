// Publishes a derived image exactly once: intent, part file, flush, read back, rename, ledger row.

import DICOM
import Foundation
import Provenance

/// Publishes slices of one job; safe to call from several workers.
struct Publisher: Sendable {
  let ledger: Ledger
  /// The output folder; paths in the ledger are relative to it.
  let output: String
  let job: Int64
  let attempt: Int64

  /// Writes `capture` under its final name and records it. A kill at any point leaves either nothing or a part
  /// file and an intent, which `Reconciliation` clears up at the next start.
  ///
  /// - Parameter publication: the slice's record, given the output's digest and size.
  func publish(
    _ capture: SecondaryCapture, at place: OutputPath, index: Int,
    publication: (SlicePublication.Output) -> SlicePublication
  ) throws {
    let final = output + "/" + place.relative
    let part = output + "/" + place.part
    let intent = try ledger.recordPublishIntent(
      job: job, index: index, sopInstanceUID: capture.identity.sopInstanceUID, part: part, final: final)
    FaultPoint.reach(.publishIntended)
    let record = try write(capture, part: part, place: place, intent: intent, publication)
    try FileSystem.rename(part, to: final)
    FaultPoint.reach(.partRenamed)
    // Should this fail, the intent stays as it is: the file is in place, and the next start records it.
    try ledger.commitPublished(record, job: job, attempt: attempt, intent: intent)
    FaultPoint.reach(.slicePublished)
  }

  /// The complete part file, recorded as such; whatever fails leaves neither file nor intent.
  private func write(
    _ capture: SecondaryCapture, part: String, place: OutputPath, intent: Int64,
    _ publication: (SlicePublication.Output) -> SlicePublication
  ) throws -> SlicePublication {
    do {
      let written = try CaptureFile.write(capture, part: part)
      FaultPoint.reach(.partWritten)
      let record = publication(
        SlicePublication.Output(
          sopInstanceUID: capture.identity.sopInstanceUID, path: place.relative, sha256: written.sha256,
          size: written.size))
      try ledger.markWritten(record, intent: intent)
      FaultPoint.reach(.partRecorded)
      return record
    } catch {
      // What was thrown is what matters; should clearing up fail as well, the next start does it.
      try? FileSystem.remove(part)
      try? ledger.abandonIntent(intent)
      throw error
    }
  }
}

/// Where an output lies below the output folder.
struct OutputPath {
  let relative: String
  /// The name it has until it is complete.
  let part: String

  init(study: String, series: String, instance: String) {
    precondition([study, series, instance].allSatisfy(UID.isSafe), "unsafe UIDs were refused at intake")
    relative = "\(study)/\(series)/\(instance).dcm"
    part = "\(study)/\(series)/.\(instance).part"
  }
}

/// A complete, flushed and verified file under a temporary name.
enum CaptureFile {
  static func write(_ capture: SecondaryCapture, part: String) throws -> (sha256: String, size: Int64) {
    try FileSystem.createFolder((part as NSString).deletingLastPathComponent)
    try FileSystem.remove(part)
    try capture.write(to: part)
    try FileSystem.flushFile(part)
    try SecondaryCaptureCheck.verify(path: part, against: capture)
    let size = try FileSystem.size(part)
    return (try FileSystem.sha256(part), size)
  }
}
