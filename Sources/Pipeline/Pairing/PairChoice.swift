// The best pair of each study under one rule: ladder first, then what the configuration prefers. Pure.

import DICOM
import Imaging

/// Why a usable series was passed over.
struct Loss {
  let refusal: Refusal
}

/// Everything one group of series is judged with.
struct PairChoice {
  let pairing: Pairing
  let group: [Candidate]
  let identities: PatientIdentities
  let relations: FrameRelations

  private var selection: SeriesSelection { pairing.selection }

  /// Adds the rule's pair of every study that has a fixed series, and notes who lost to it.
  func apply(_ rule: PairingRule, to result: inout PairingResult, losers: inout [String: Loss]) {
    let fixed = group.filter { selection.fits($0.series, rule.fixed, $0.facts) }
    let moving = group.filter { selection.fits($0.series, rule.moving, $0.facts) }
    let studies = Dictionary(grouping: fixed, by: \.series.studyInstanceUID).sorted { $0.key < $1.key }
    for (_, rivals) in studies {
      let options = rivals.flatMap { fixed in
        moving.filter { isInReach($0.series, of: fixed.series) }.map { option(rule, fixed, $0) }
      }
      guard let best = options.min(by: { $0.rank < $1.rank }) else { continue }
      switch best.verdict {
      case .success(let pair): result.pairs.append(pair)
      case .failure(let refusal):
        result.rejected.append(
          RejectedPair(
            rule: rule, fixed: best.fixed.series, moving: best.moving.series, reason: refusal.reason))
      }
      for option in options { note(option, against: best, rule, &losers) }
    }
  }

  /// May the two be fused, and how do they lie to each other?
  func judge(_ rule: PairingRule, _ fixed: Candidate, _ moving: Candidate) -> Result<Pair, PairRefusal> {
    if let refusal = identities.refusal(fixed.series.first, moving.series.first) {
      return .failure(PairRefusal(reason: refusal))
    }
    return pairing.transform(fixed.series, moving.series, relations).flatMap { transform in
      let overlap = overlap(fixed, moving, transform)
      if let refusal = overlap.flatMap(pairing.settings.refusal(of:)) {
        return .failure(PairRefusal(reason: refusal))
      }
      return .success(
        Pair(
          rule: rule, fixed: fixed.series, moving: moving.series, fixedPlan: fixed.plan,
          movingPlan: moving.plan, transform: transform, overlap: overlap))
    }
  }

  private func overlap(_ fixed: Candidate, _ moving: Candidate, _ transform: PairTransform) -> Overlap? {
    if case .rigid = transform { return nil }
    return fixed.plan.grid.overlap(with: moving.plan.grid, through: transform.transform)
  }

  // MARK: - Ranking

  private struct Option {
    let fixed: Candidate
    let moving: Candidate
    let verdict: Result<Pair, PairRefusal>
    let rank: OptionRank
  }

  /// Pairs that may be fused before others; then the ladder; then the better fixed, then the better moving series.
  private struct OptionRank: Comparable {
    let isRefused: Int
    let rung: Int
    let fixed: Rank
    let moving: Rank

    static func < (a: Self, b: Self) -> Bool {
      if (a.isRefused, a.rung) != (b.isRefused, b.rung) {
        return (a.isRefused, a.rung) < (b.isRefused, b.rung)
      }
      return a.fixed == b.fixed ? a.moving < b.moving : a.fixed < b.fixed
    }
  }

  private func option(_ rule: PairingRule, _ fixed: Candidate, _ moving: Candidate) -> Option {
    let verdict = judge(rule, fixed, moving)
    let pair = try? verdict.get()
    let sameStudy = fixed.series.studyInstanceUID == moving.series.studyInstanceUID
    return Option(
      fixed: fixed, moving: moving, verdict: verdict,
      rank: OptionRank(
        isRefused: pair == nil ? 1 : 0, rung: (sameStudy ? 0 : 3) + (pair?.transform.rung ?? 0),
        fixed: selection.rank(fixed.series, rule.fixed, fixed.facts),
        moving: selection.rank(moving.series, rule.moving, moving.facts)))
  }

  private func isInReach(_ moving: Series, of fixed: Series) -> Bool {
    if moving.studyInstanceUID == fixed.studyInstanceUID { return true }
    guard pairing.settings.scope == .patient, let days = daysApart(moving.first, fixed.first) else {
      return false
    }
    return days <= pairing.settings.windowDays
  }

  // MARK: - Reasons

  private func note(
    _ option: Option, against best: Option, _ rule: PairingRule, _ losers: inout [String: Loss]
  ) {
    for (mine, winner, criteria) in [
      (option.fixed, best.fixed, rule.fixed), (option.moving, best.moving, rule.moving),
    ] where mine.series.uid != winner.series.uid {
      // A clash of patients is never hidden behind a preference.
      if case .failure(let refusal) = option.verdict, refusal.reason.code == PatientIdentities.conflict {
        losers[mine.series.uid] = Loss(refusal: refusal.reason)
      } else if losers[mine.series.uid] == nil {
        losers[mine.series.uid] = Loss(refusal: passedOver(mine, for: winner, criteria, option, best))
      }
    }
  }

  private func passedOver(
    _ loser: Candidate, for winner: Candidate, _ criteria: SeriesCriteria, _ option: Option, _ best: Option
  ) -> Refusal {
    let name =
      "another \(loser.series.modality) series, "
      + (winner.series.first.seriesNumber.map { "number \($0)" } ?? winner.series.uid) + ", is preferred"
    if option.rank.isRefused > best.rank.isRefused, case .failure(let refusal) = option.verdict {
      return Refusal("not_preferred", name + ", since here " + refusal.reason.sentence)
    }
    if option.rank.rung > best.rank.rung {
      return Refusal("not_preferred", name + ": it shares the study or frame of reference of its partner")
    }
    let list = selection.preferences(criteria)
    let ours = selection.rank(loser.series, criteria, loser.facts)
    let theirs = selection.rank(winner.series, criteria, winner.facts)
    guard let line = theirs.advantage(over: ours, in: list) else {
      return Refusal("not_preferred", name + ": nothing tells them apart but number and UID")
    }
    return Refusal("not_preferred", name + ": " + line.words)
  }
}

extension PairingSettings {
  /// Why an overlap is too small to fuse; nil where it is not.
  func refusal(of overlap: Overlap) -> Refusal? {
    if overlap.slices == 0 {
      return Refusal(
        "no_overlap", "the moving series lies wholly outside the fixed one; check their positions")
    }
    guard overlap.millimetres < minimumOverlap else { return nil }
    return Refusal(
      "too_little_overlap",
      "the moving series reaches \(overlap.slices) slices, \(overlap.millimetres.rounded()) mm, of the fixed one; "
        + "pairing.minimum_overlap is \(minimumOverlap) mm")
  }
}
