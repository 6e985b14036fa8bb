// Which studies are worked off now, one after another: their pairs found, fused or refused, and the study marked as done.

import DICOM
import Foundation
import Logging
import Provenance

/// What working off some studies came to.
struct WorkedOff: Sendable {
  /// Series that take part in no pair, of the studies that were looked at.
  var leftOut: [LeftOut] = []
  /// How many series were found unsafe to use that were not before.
  var newlyRejected = 0
  /// Studies looked at.
  var studies = 0
}

extension CoordinatorSession {
  /// Everything outside the ledger that decides what is paired and how: while it stays, a study without new images
  /// need not be looked at again.
  static func workloadKey(_ settings: Settings) -> String {
    let library = try? ModelLibrary(folder: settings.models)
    let models = settings.pairing.rules.map { (try? library?.model(named: $0.model))?.card.sha256 ?? "none" }
    let parts = [
      settings.canonicalText, settings.pairing.scope.rawValue, "\(settings.pairing.windowDays)",
      "\(settings.pairing.minimumOverlap)",
      Software.version,
    ]
    return sha256Hex((parts + models).joined(separator: "\n"))
  }

  /// Works off the studies that need it, the one that waited longest first, until all are or something says stop.
  ///
  /// One study is in memory at a time; where pairs reach across studies, one patient's.
  /// - Parameters:
  ///   - retry: which failed jobs are tried again.
  ///   - isSettled: studies it declines are left for a later call, and so is every study of the same patient where
  ///     pairs reach across studies.
  /// - Throws: as `JobRunner.fuse`.
  func workOff(retry: RetryTime, isSettled: (DueStudy) -> Bool = { _ in true }) async throws -> WorkedOff {
    var result = WorkedOff()
    var seen: Set<String> = []
    var models = ModelCache(folder: settings.models, ledger: ledger)
    defer { runner.worker.end() }
    for study in try ledger.dueStudies(retry: retry) where !seen.contains(study.uid) {
      try Task.checkCancellation()
      if let reason = supervision.stopReason() {
        if reason == .interrupted { throw CancellationError() }
        break
      }
      let group =
        settings.pairing.scope == .patient ? try ledger.studiesOfSamePatient(as: study.uid) : [study]
      seen.formUnion(group.map(\.uid))
      guard group.allSatisfy(isSettled) else { continue }
      try await workOff(group, models: &models, retry: retry, into: &result)
      supervision.tick()
    }
    return result
  }

  private func workOff(
    _ group: [DueStudy], models: inout ModelCache, retry: RetryTime, into result: inout WorkedOff
  ) async throws {
    let catalogue = try StoredCatalogue(ledger: ledger, store: settings.folders.store)
      .catalogue(studies: group.map(\.uid))
    for series in try ledger.releasedSeries(studies: group.map(\.uid)).sorted() {
      runner.logger.notice(
        "a series is not paired: its images were let go by retention; sent again as a whole it is",
        metadata: ["series": "\(series)"])
    }
    let pairing = Pairing(settings).pairs(in: catalogue)
    result.studies += group.count
    result.leftOut += pairing.leftOut
    result.newlyRejected += try record(pairing.leftOut, of: group)
    var wanted = Set(try pairing.rejected.map(runner.reject))
    for pair in pairing.pairs {
      wanted.insert(
        try await runner.fuse(pair, with: models.model(named: pair.rule.model), retry: retry))
      if supervision.stopReason() != nil { return }
    }
    for study in group {
      try ledger.supersedeUnwanted(study: study.uid, wanted: wanted)
      try ledger.markWorkedOff(study, key: workloadKey)
    }
  }

  /// Records series that are unsafe to use, and takes back what no longer holds.
  ///
  /// - Returns: how many are refused now that were not before.
  private func record(_ leftOut: [LeftOut], of group: [DueStudy]) throws -> Int {
    let rejected = Dictionary(leftOut.filter(\.isRejected).map { ($0.series.uid, $0) }) { first, _ in first }
    var news = 0
    for study in group {
      for stored in try ledger.seriesStates(study: study.uid) {
        if let now = rejected[stored.uid] {
          if stored.reason != now.reason.code { news += 1 }
          try ledger.setSeries(
            stored.uid, state: .rejected, reason: now.reason.code, sentence: now.reason.sentence)
        } else if stored.state == .rejected {
          try ledger.setSeries(stored.uid, state: .accepted, reason: nil, sentence: nil)
        }
      }
    }
    return news
  }
}
