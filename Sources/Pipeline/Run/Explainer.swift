// `explain`: what the ledger and the pairing rules say about one UID or file.

import DICOM
import Foundation
import Imaging
public import Provenance

public struct Explanation: Encodable, Sendable {
  public let subject: String
  /// Sentences, most telling first.
  public let findings: [String]
  public let lineage: Lineage?
  /// What happened to it, oldest first.
  public let events: [EventRow]
}

public struct Explainer: Sendable {
  let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  /// - Throws: `FileError` where a path cannot be read, `LedgerError` where there is no usable ledger.
  public func explain(_ subject: String, redact: Bool = false) throws -> Explanation {
    if FileManager.default.fileExists(atPath: subject) { return try explain(file: subject) }
    let store = try StoredCatalogue(settings: settings)
    let lineage = try store.ledger?.lineage(subject) ?? nil
    var findings = pairingFindings(subject, in: Catalogue(try store.instances()))
    if findings.isEmpty && lineage == nil {
      findings = pairingFindings(subject, in: try Planner(settings: settings).catalogue())
        .map { "not taken in yet: " + $0 }
    }
    switch lineage {
    case .output(let made): findings.insert(sentence(made), at: 0)
    case .input(let input): findings.insert(sentence(input), at: 0)
    case .group(let group):
      findings.insert("\(group.jobs.count) jobs and \(group.outputs.count) outputs involve it", at: 0)
      findings += try group.jobs.compactMap { row in
        try store.ledger.flatMap { try registration(of: row.job, $0) }
      }
    case nil: break
    }
    if findings.isEmpty { findings = ["neither ledger nor drop folder know anything of \(subject)"] }
    let events = try ["instance", "output", "series"].flatMap {
      try store.ledger?.events(subject: "\($0):\(subject)") ?? []
    }
    return Explanation(
      subject: subject, findings: findings, lineage: redact ? lineage?.redacted : lineage,
      events: events.sorted { $0.seq < $1.seq })
  }

  private func explain(file path: String) throws -> Explanation {
    let store = try StoredCatalogue(settings: settings)
    let digest = try FileSystem.sha256(path)
    let known: @Sendable (String) throws -> String? = { [ledger = store.ledger] in
      try ledger?.instance(sopInstanceUID: $0)?.sha256
    }
    let finding: String
    switch try Examination(knownDigest: known).verdict(on: path) {
    case .accept: finding = "an image that would be taken in"
    case .duplicate(let instance, _): finding = "already taken in as \(instance.sopInstanceUID)"
    case .skip(_, _, let why): finding = "would be skipped: \(why.sentence) [\(why.code)]"
    case .reject(_, _, let why): finding = "would be refused: \(why.sentence) [\(why.code)]"
    }
    let past = try store.ledger?.lastIntake(sha256: digest).map { row in
      "these bytes were \(row.state.rawValue) at \(row.time)" + (row.sentence.map { ": \($0)" } ?? "")
    }
    return Explanation(
      subject: path, findings: [finding] + [past].compactMap { $0 }, lineage: nil, events: [])
  }

  /// What the rules make of a series or a study now.
  private func pairingFindings(_ uid: String, in catalogue: Catalogue) -> [String] {
    let result = Pairing(settings).pairs(in: catalogue)
    let concerns = { (series: Series) in
      series.uid == uid || series.studyInstanceUID == uid
        || series.members.contains { $0.instance.sopInstanceUID == uid }
    }
    var findings = catalogue.registrations.map(\.instance)
      .filter { [$0.sopInstanceUID, $0.seriesInstanceUID, $0.studyInstanceUID].contains(uid) }
      .map {
        "registration \($0.sopInstanceUID) relates \($0.registration?.items.count ?? 0) frames of reference"
      }
    findings += result.pairs.filter { concerns($0.fixed) || concerns($0.moving) }.flatMap(sentences)
    findings += result.rejected.filter { concerns($0.fixed) || concerns($0.moving) }.map {
      "\($0.rule.name) refused: \($0.reason.sentence) [\($0.reason.code)]"
    }
    findings += result.leftOut.filter { concerns($0.series) }.map {
      "\($0.series.modality) series \($0.series.uid) is left out: \($0.reason.sentence) [\($0.reason.code)]"
    }
    return findings
  }

  /// What will be, or was, done with a pair, and what its plans note.
  private func sentences(_ pair: Pair) -> [String] {
    let sides = [("fixed", pair.fixed, pair.fixedPlan), ("moving", pair.moving, pair.movingPlan)]
    let words = sides.map { "\($0) \($1.modality) \($1.uid), \($2.grid.slices) slices in \($2.unit)" }
    let placed = AppliedRegistration(pair.transform)
    let objects = placed.objects.map { " " + $0.joined(separator: ", ") } ?? ""
    let line =
      "\(pair.rule.name): \(words.joined(separator: "; ")); placed by \(placed.kind.rawValue)\(objects)"
      + (pair.overlap.map { ", covering \($0.slices) slices" } ?? "")
    return [line] + sides.flatMap { role, _, plan in plan.notes.map { "\(role): \($0)" } }
  }

  /// How the voxels of a job's pair were registered, believed or not; nil where they were not.
  private func registration(of job: Int64, _ ledger: Ledger) throws -> String? {
    let applied = try ledger.job(job).registration?.decode(AppliedRegistration.self)
    return applied?.rigid.map { "job \(job) registered the voxels: \($0.sentence)" }
  }

  private func sentence(_ made: OutputLineage) -> String {
    let inputs = made.inputs.count
    let deformed =
      made.deformation.accepted ? "deformed" : "not deformed (\(made.deformation.reason ?? "refused"))"
    return "output of job \(made.output.job), slice \(made.output.slice), from \(inputs) images, \(deformed)"
  }

  private func sentence(_ input: InputLineage) -> String {
    let why = input.input.reason.map { " [\($0)]" } ?? ""
    return
      "\(input.input.state.rawValue) at \(input.input.time)\(why); \(input.outputs.count) outputs were made of it"
  }
}
