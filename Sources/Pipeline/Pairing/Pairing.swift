// Which series are fused with which, and for every other one the reason why not. Pure: headers in, decisions out.

public import DICOM
public import Imaging

/// Two series that one rule brings together.
public struct Pair: Codable, Sendable {
  public let rule: PairingRule
  public let fixed: Series
  public let moving: Series
  public let fixedPlan: SeriesPlan
  public let movingPlan: SeriesPlan
  /// How positions of the fixed series are found in the moving one.
  public let transform: PairTransform
  /// What of the fixed series the moving one covers; nil where that is known only once the voxels are registered.
  public let overlap: Overlap?
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
  /// How a registration went that was made and not believed; nil where there was none.
  public let registration: AppliedRegistration?
  public var description: String { "\(reason.sentence) [\(reason.code)]" }

  init(reason: Refusal, registration: AppliedRegistration? = nil) {
    self.reason = reason
    self.registration = registration
  }
}

/// A series that takes part in no pair, and why.
public struct LeftOut: Hashable, Sendable {
  public let series: Series
  public let reason: Refusal
}

extension LeftOut {
  /// Codes of series that are merely not for us; every other reason means that something is wrong with them.
  private static let harmless: Set<String> = [
    "criteria_not_met", "derived", "echo_planar", "excluded", "localizer", "mosaic", "no_partner", "no_rule",
    "not_attenuation_corrected", "not_preferred", "not_reconstructed", "time_series", "too_few_slices",
    "unsupported_sop_class",
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
    var candidates: [Candidate] = []
    for series in catalogue.series {
      switch examine(series) {
      case .success(let candidate): candidates.append(candidate)
      case .failure(let refusal): result.leftOut.append(LeftOut(series: series, reason: refusal.reason))
      }
    }
    let identities = PatientIdentities(catalogue)
    var losers: [String: Loss] = [:]
    for group in groups(candidates) {
      let relations = FrameRelations(catalogue.registrations, of: PatientKey(group[0].series.first))
      let choice = PairChoice(pairing: self, group: group, identities: identities, relations: relations)
      for rule in settings.rules { choice.apply(rule, to: &result, losers: &losers) }
    }
    result.leftOut += unpaired(candidates, in: result, losers: losers)
    result.leftOut.sort { $0.series.uid < $1.series.uid }
    return result
  }

  /// The pair of two named series under a rule; what their selection would prefer is not asked.
  ///
  /// - Throws: `PairRefusal` where one cannot be used or the two do not belong together.
  func pair(
    _ rule: PairingRule, fixed: Series, moving: Series, registrations: [CataloguedInstance] = []
  ) throws -> Pair {
    let candidates = try [fixed, moving].map { try examine($0).get() }
    let choice = PairChoice(
      pairing: self, group: candidates,
      identities: PatientIdentities(Catalogue((fixed.members + moving.members))),
      relations: FrameRelations(registrations, of: PatientKey(fixed.first)))
    return try choice.judge(rule, candidates[0], candidates[1]).get()
  }

  /// A series on its own: may it be used at all?
  private func examine(_ series: Series) -> Result<Candidate, PairRefusal> {
    if let refusal = selection.refusal(series) ?? identityRefusal(series) {
      return .failure(PairRefusal(reason: refusal))
    }
    do {
      let plan = try SeriesReader.plan(series.members.map(\.instance))
      if let refusal = selection.refusal(series, plan: plan) { return .failure(PairRefusal(reason: refusal)) }
      return .success(Candidate(series: series, plan: plan, facts: SeriesFacts(series, plan: plan)))
    } catch {
      return .failure(PairRefusal(reason: Refusal(error.reason.rawValue, error.detail)))
    }
  }

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

  /// The sets of series that may be paired with each other: of one study, or of one patient.
  ///
  /// Identities that share a study but not a Patient ID stay in one group, so that the clash is seen and refused.
  private func groups(_ candidates: [Candidate]) -> [[Candidate]] {
    let key: (Candidate) -> String =
      switch settings.scope {
      case .study: { $0.series.studyInstanceUID }
      case .patient: { PatientKey($0.series.first).groupingText }
      }
    return Dictionary(grouping: candidates, by: key).sorted { $0.key < $1.key }.map(\.value)
  }

  private func unpaired(
    _ candidates: [Candidate], in result: PairingResult, losers: [String: Loss]
  ) -> [LeftOut] {
    let used = Set(
      result.pairs.flatMap { [$0.fixed.uid, $0.moving.uid] }
        + result.rejected.flatMap { [$0.fixed.uid, $0.moving.uid] })
    return candidates.map(\.series).filter { !used.contains($0.uid) }.map { series in
      LeftOut(series: series, reason: losers[series.uid]?.refusal ?? reasonWithoutPartner(series))
    }
  }

  private func reasonWithoutPartner(_ series: Series) -> Refusal {
    let mine = settings.rules.filter {
      $0.fixed.modality == series.modality || $0.moving.modality == series.modality
    }
    if mine.isEmpty { return Refusal("no_rule", "no pairing rule asks for \(series.modality)") }
    let facts = SeriesFacts(series)
    let fits = mine.contains {
      selection.fits(series, $0.fixed, facts) || selection.fits(series, $0.moving, facts)
    }
    guard fits else {
      return Refusal("criteria_not_met", "no pairing rule's conditions for \(series.modality) hold for it")
    }
    let partners = mine.map { $0.fixed.modality == series.modality ? $0.moving.modality : $0.fixed.modality }
    let reach = settings.scope == .study ? "in its study" : "of the patient within the window"
    return Refusal(
      "no_partner",
      "nothing to fuse it with: no usable \(partners.joined(separator: " or ")) series \(reach)")
  }
}

/// A series that passed on its own.
struct Candidate: Sendable {
  let series: Series
  let plan: SeriesPlan
  let facts: SeriesFacts
}
