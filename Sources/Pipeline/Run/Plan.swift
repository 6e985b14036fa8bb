// What a run would do, worked out from the same rules and printed instead of done; writes nothing anywhere.

import DICOM
import Foundation
public import Imaging
import Provenance

/// The answer of `plan`, in the order a person reads it.
public struct PlanReport: Encodable, Sendable {
  public struct Files: Encodable, Sendable {
    public var accepted = 0
    public var duplicate = 0
    public var skipped = 0
    public var rejected = 0
  }
  public struct File: Encodable, Sendable {
    public let path: String
    public let outcome: String
    public let reason: Refusal
  }
  public struct Side: Encodable, Sendable {
    public let series: String
    public let modality: String
    public let description: String?
    public let slices: Int
    /// Distance of neighbouring slices, mm.
    public let spacing: Double?
    public let unit: String?
    /// Instance Numbers in the order of the slices, frame numbers where one image holds them all; absent where an image
    /// has none.
    public let instances: [Int]?
    public let notes: [String]
  }
  public struct PlannedPair: Encodable, Sendable {
    public let rule: String
    public let study: String
    public let model: String
    public let fixed: Side
    public let moving: Side
    /// How the moving series is placed: `same-frame`, `registration-object`, `rigid` (to be registered) or `none`
    /// (positions trusted).
    public let registration: AppliedRegistration
    /// What of the fixed series the moving one covers; nil where it is to be registered first.
    public let overlap: Overlap?
    /// Derived images it would make.
    public let outputs: Int
    /// Was this very work done before?
    public let done: Bool
  }
  public struct Refused: Encodable, Sendable {
    public let rule: String
    public let fixed: String
    public let moving: String
    public let reason: Refusal
  }
  public struct Left: Encodable, Sendable {
    public let series: String
    public let modality: String
    public let description: String?
    public let images: Int
    public let reason: Refusal
  }

  public var instances = Files()
  /// Files that would not be taken in, and why.
  public var files: [File] = []
  public var pairs: [PlannedPair] = []
  public var rejected: [Refused] = []
  public var leftOut: [Left] = []
}

public struct Planner: Sendable {
  let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  /// Plans over the drop folder and the store, or over `paths` alone.
  ///
  /// - Throws: `FileError` where a path cannot be read, `LedgerError` where the ledger cannot.
  public func plan(paths: [String]) throws -> PlanReport {
    let store = paths.isEmpty ? try StoredCatalogue(settings: settings) : nil
    var report = PlanReport()
    let dropped =
      try paths.isEmpty ? files(settings.folders.inbox, mayBeMissing: true) : paths.flatMap { try files($0) }
    var instances = try store?.instances() ?? []
    instances += try examine(dropped, known: instances, into: &report)
    let result = Pairing(settings).pairs(in: Catalogue(instances))
    report.pairs = try result.pairs.map { pair in
      try describe(pair, done: store?.isDone(pair, settings: settings) ?? false)
    }
    report.rejected = result.rejected.map {
      PlanReport.Refused(rule: $0.rule.name, fixed: $0.fixed.uid, moving: $0.moving.uid, reason: $0.reason)
    }
    report.leftOut = result.leftOut.map(PlanReport.Left.init)
    return report
  }

  /// Everything a run would pair: the images of the store, and those of the drop folder that it would take in.
  func catalogue() throws -> Catalogue {
    var unused = PlanReport()
    let stored = try StoredCatalogue(settings: settings).instances()
    let dropped = try files(settings.folders.inbox, mayBeMissing: true)
    return Catalogue(try stored + examine(dropped, known: stored, into: &unused))
  }

  private func files(_ path: String, mayBeMissing: Bool = false) throws -> [DropFile] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      if mayBeMissing { return [] }
      throw FileError("read", path, code: ENOENT)
    }
    if isFolder.boolValue { return try DropFolder(path: path, ignore: settings.intake.ignore).scan() }
    return [DropFile(path: path, size: 0, modified: 0, inode: 0)]
  }

  private func examine(
    _ files: [DropFile], known: [CataloguedInstance], into report: inout PlanReport
  ) throws -> [CataloguedInstance] {
    var digests = Dictionary(known.map { ($0.instance.sopInstanceUID, $0.sha256) }) { first, _ in first }
    var accepted: [CataloguedInstance] = []
    for file in files {
      let verdict = try Examination { [digests] in digests[$0] }.verdict(on: file.path)
      switch verdict {
      case .accept(let instance, let digest):
        report.instances.accepted += 1
        digests[instance.sopInstanceUID] = digest
        accepted.append(CataloguedInstance(instance: instance, path: file.path, sha256: digest))
      case .duplicate: report.instances.duplicate += 1
      case .skip(_, _, let why):
        report.instances.skipped += 1
        report.files.append(.init(path: file.path, outcome: "skipped", reason: why))
      case .reject(_, _, let why):
        report.instances.rejected += 1
        report.files.append(.init(path: file.path, outcome: "rejected", reason: why))
      }
    }
    return accepted
  }

  private func describe(_ pair: Pair, done: Bool) throws -> PlanReport.PlannedPair {
    PlanReport.PlannedPair(
      rule: pair.rule.name, study: pair.fixed.studyInstanceUID, model: pair.rule.model,
      fixed: .init(pair.fixed, pair.fixedPlan), moving: .init(pair.moving, pair.movingPlan),
      registration: AppliedRegistration(pair.transform), overlap: pair.overlap,
      outputs: pair.fixedPlan.grid.slices, done: done)
  }
}

extension PlanReport.Side {
  init(_ series: Series, _ plan: SeriesPlan) {
    self.init(
      series: series.uid, modality: series.modality, description: series.first.seriesDescription,
      slices: plan.grid.slices, spacing: plan.spacing, unit: plan.unit, instances: Self.instances(plan),
      notes: plan.notes)
  }

  private static func instances(_ plan: SeriesPlan) -> [Int]? {
    if plan.instances.count == 1 { return plan.slices.map { $0.frame + 1 } }
    let numbers = plan.slices.compactMap { plan.instances[$0.instance].instanceNumber }
    return numbers.count == plan.slices.count ? numbers : nil
  }
}

extension PlanReport.Left {
  init(_ left: LeftOut) {
    self.init(
      series: left.series.uid, modality: left.series.modality,
      description: left.series.first.seriesDescription,
      images: left.series.members.count, reason: left.reason)
  }
}
