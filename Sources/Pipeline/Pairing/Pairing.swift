// Which series are fused with which, and for every other one the reason why not. Pure: headers in, decisions out.

public import DICOM
import Imaging

/// Two series that one rule brings together.
public struct Pair: Codable, Sendable {
  public let rule: PairingRule
  public let fixed: Series
  public let moving: Series
  public let fixedPlan: SeriesPlan
  public let movingPlan: SeriesPlan
}

/// A pair the rules ask for but that is unsafe to fuse.
public struct RejectedPair: Sendable {
  public let rule: PairingRule
  public let fixed: Series
  public let moving: Series
  public let reason: Refusal
}

/// A stable code and one sentence an operator can act on; free of patient data.
public struct Refusal: Hashable, Sendable, Codable {
  public let code: String
  public let sentence: String

  public init(_ code: String, _ sentence: String) {
    self.code = code
    self.sentence = sentence
  }
}

/// Two series that cannot be fused, found after they were chosen.
public struct PairRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: Refusal
  public var description: String { "\(reason.sentence) [\(reason.code)]" }
}

/// A series that takes part in no pair, and why.
public struct LeftOut: Hashable, Sendable {
  public let series: Series
  public let reason: Refusal
}

extension LeftOut {
  /// Codes of series that are merely not for us; every other reason means that something is wrong with them.
  private static let harmless: Set<String> = [
    "excluded", "localizer", "mosaic", "no_partner", "no_rule", "not_preferred", "not_reconstructed",
    "time_series",
    "too_few_slices", "unsupported_sop_class",
  ]

  /// For us, but unsafe to use.
  public var isRejected: Bool { !Self.harmless.contains(reason.code) }
}

public struct PairingResult: Sendable {
  public var pairs: [Pair] = []
  public var rejected: [RejectedPair] = []
  public var leftOut: [LeftOut] = []
}

/// Applies the pairing rules to a catalogue.
public struct Pairing: Sendable {
  let settings: PairingSettings
  let selection: SeriesSelection
  let registration: AlignmentSettings.Registration

  public init(_ settings: Settings) {
    self.settings = settings.pairing
    selection = SeriesSelection(settings.selection)
    registration = settings.alignment.registration
  }

  /// Deterministic: the result depends only on the catalogue's contents, not on the order of arrival.
  public func pairs(in catalogue: Catalogue) -> PairingResult {
    var result = PairingResult()
    var candidates: [Series] = []
    var plans: [String: SeriesPlan] = [:]
    for series in catalogue.series {
      switch examine(series) {
      case .success(let plan):
        plans[series.uid] = plan
        candidates.append(series)
      case .failure(let refusal): result.leftOut.append(LeftOut(series: series, reason: refusal.reason))
      }
    }
    for group in groups(candidates) { pair(group, plans: plans, into: &result) }
    result.leftOut += unpaired(candidates, in: result)
    result.leftOut.sort { $0.series.uid < $1.series.uid }
    return result
  }

  /// The pair of two named series under a rule.
  ///
  /// - Throws: `PairRefusal` where one cannot be used or the two do not belong together.
  func pair(_ rule: PairingRule, fixed: Series, moving: Series) throws -> Pair {
    let plans = try [fixed, moving].map { series in
      switch examine(series) {
      case .success(let plan): plan
      case .failure(let unusable): throw PairRefusal(reason: unusable.reason)
      }
    }
    if let refusal = refusal(fixed, moving) { throw PairRefusal(reason: refusal) }
    return Pair(rule: rule, fixed: fixed, moving: moving, fixedPlan: plans[0], movingPlan: plans[1])
  }

  /// A series on its own: may it be used at all?
  private func examine(_ series: Series) -> Result<SeriesPlan, Unusable> {
    if let refusal = selection.refusal(series) ?? identityRefusal(series) {
      return .failure(Unusable(reason: refusal))
    }
    do {
      return .success(try SeriesReader.plan(series.members.map(\.instance)))
    } catch {
      return .failure(Unusable(reason: Refusal(error.reason.rawValue, error.detail)))
    }
  }

  private struct Unusable: Error { let reason: Refusal }

  private func identityRefusal(_ series: Series) -> Refusal? {
    let instances = series.members.map(\.instance)
    if Set(instances.map { PatientKey($0) }).count > 1 {
      return Refusal(
        "mixed_patients", "the series holds images of different patients; correct it at its source")
    }
    if Set(instances.map(\.studyInstanceUID)).count > 1 {
      return Refusal(
        "mixed_studies", "the series holds images of different studies; correct it at its source")
    }
    if Set(instances.map(\.modality)).count > 1 {
      return Refusal("mixed_modalities", "the series holds images of different modalities")
    }
    if PatientKey(instances[0]).patientID == nil {
      return Refusal(
        "missing_patient_id", "no Patient ID: without it nothing can be paired safely; send it again with one"
      )
    }
    return nil
  }

  /// The sets of series that may be paired with each other.
  private func groups(_ series: [Series]) -> [[Series]] {
    let key: (Series) -> String =
      switch settings.scope {
      case .study: { $0.studyInstanceUID }
      case .patient: { PatientKey($0.first).groupingText }
      }
    return Dictionary(grouping: series, by: key).sorted { $0.key < $1.key }.map(\.value)
  }

  private func pair(_ group: [Series], plans: [String: SeriesPlan], into result: inout PairingResult) {
    for rule in settings.rules {
      for fixed in selection.choose(rule.fixed, from: group, per: \.studyInstanceUID, plans: plans) {
        let partners = group.filter { isInReach($0, of: fixed) }
        guard
          let moving = selection.choose(rule.moving, from: partners, per: { _ in "" }, plans: plans).first,
          let fixedPlan = plans[fixed.uid], let movingPlan = plans[moving.uid]
        else { continue }
        if let refusal = refusal(fixed, moving) {
          result.rejected.append(RejectedPair(rule: rule, fixed: fixed, moving: moving, reason: refusal))
        } else {
          result.pairs.append(
            Pair(rule: rule, fixed: fixed, moving: moving, fixedPlan: fixedPlan, movingPlan: movingPlan))
        }
      }
    }
  }

  private func isInReach(_ moving: Series, of fixed: Series) -> Bool {
    if moving.studyInstanceUID == fixed.studyInstanceUID { return true }
    guard settings.scope == .patient, let days = daysApart(moving.first, fixed.first) else { return false }
    return days <= settings.windowDays
  }

  private func refusal(_ fixed: Series, _ moving: Series) -> Refusal? {
    let (a, b) = (PatientKey(fixed.first), PatientKey(moving.first))
    if a != b {
      return Refusal(
        "patient_conflict",
        "the two series disagree on \(a.differences(from: b).joined(separator: ", ")); correct it at its source"
      )
    }
    if registration == .sameFrame,
      fixed.first.frameOfReferenceUID == nil
        || fixed.first.frameOfReferenceUID != moving.first.frameOfReferenceUID
    {
      return Refusal(
        "different_frame_of_reference",
        "the two series have no common frame of reference, so where one lies in the other is not known; "
          + "set alignment.registration to header if their positions can be trusted all the same")
    }
    return nil
  }

  private func unpaired(_ candidates: [Series], in result: PairingResult) -> [LeftOut] {
    let used = Set(
      result.pairs.flatMap { [$0.fixed.uid, $0.moving.uid] }
        + result.rejected.flatMap { [$0.fixed.uid, $0.moving.uid] })
    return candidates.filter { !used.contains($0.uid) }.map { series in
      LeftOut(series: series, reason: reasonUnpaired(series, candidates, used))
    }
  }

  private func reasonUnpaired(_ series: Series, _ all: [Series], _ used: Set<String>) -> Refusal {
    let mine = settings.rules.filter {
      $0.fixed.modality == series.modality || $0.moving.modality == series.modality
    }
    if mine.isEmpty { return Refusal("no_rule", "no pairing rule asks for \(series.modality)") }
    let rival = all.contains {
      $0.uid != series.uid && used.contains($0.uid) && $0.modality == series.modality
        && $0.studyInstanceUID == series.studyInstanceUID
    }
    if rival {
      return Refusal("not_preferred", "another \(series.modality) series of the study is preferred")
    }
    let partners = mine.map { $0.fixed.modality == series.modality ? $0.moving.modality : $0.fixed.modality }
    return Refusal(
      "no_partner", "nothing to fuse it with: no usable \(partners.joined(separator: " or ")) series")
  }
}
