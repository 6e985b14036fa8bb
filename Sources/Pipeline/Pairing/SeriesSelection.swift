// Which series may take a side of a rule, in which order of preference, and why a series is never considered.

import DICOM
import Imaging

struct SeriesSelection: Sendable {
  let settings: SelectionSettings

  init(_ settings: SelectionSettings) { self.settings = settings }

  /// Why a series is not even looked at, nil if it may be used. Asked once without a plan, to save the geometry
  /// gate what nobody wants, and once with it.
  func refusal(_ series: Series, plan: SeriesPlan? = nil) -> Refusal? {
    let facts = SeriesFacts(series, plan: plan)
    let texts = facts.descriptions + facts.protocolNames + facts.imageTypes
    for expression in settings.exclude
    where texts.contains(where: { Expression.matches(expression, $0) }) {
      return Refusal("excluded", "left out by selection.exclude “\(expression)”")
    }
    for condition in settings.of(series.modality).exclude where condition.holds(facts) {
      return Refusal(
        condition.code, "left out by selection.\(series.modality).exclude: it is \(condition.words)")
    }
    if facts.slices < settings.minimumSlices {
      return Refusal(
        "too_few_slices",
        "has \(facts.slices) slice(s), fewer than selection.minimum_slices \(settings.minimumSlices)")
    }
    return nil
  }

  /// Does a usable series fit one side of a rule?
  func fits(_ series: Series, _ criteria: SeriesCriteria, _ facts: SeriesFacts) -> Bool {
    series.modality == criteria.modality && criteria.condition.holds(facts)
  }

  func preferences(_ criteria: SeriesCriteria) -> [SeriesPreference] {
    criteria.prefer ?? settings.of(criteria.modality).prefer
  }

  func rank(_ series: Series, _ criteria: SeriesCriteria, _ facts: SeriesFacts) -> Rank {
    Rank(
      scores: preferences(criteria).map { $0.score(facts) }, number: series.first.seriesNumber ?? Int.max,
      uid: series.uid)
  }
}

extension SelectionSettings {
  func of(_ modality: String) -> ModalitySelection { modalities[modality] ?? ModalitySelection() }
}
