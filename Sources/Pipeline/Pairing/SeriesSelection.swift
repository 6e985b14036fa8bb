// Which series of a study takes a rule's side when several could, and why a series is never considered.

import DICOM
import Imaging

struct SeriesSelection: Sendable {
  let minimumSlices: Int
  let excluded: [String]

  init(_ settings: SelectionSettings) {
    minimumSlices = settings.minimumSlices
    excluded = settings.exclude
  }

  /// Why a series is not even looked at, nil if it may be used.
  func refusal(_ series: Series) -> Refusal? {
    for expression in excluded {
      // Regex is not Sendable; the reader has checked that the expression compiles.
      guard let regex = try? Regex(expression).ignoresCase() else { continue }
      if series.labels.contains(where: { $0.contains(regex) }) {
        return Refusal("excluded", "left out by selection.exclude “\(expression)”")
      }
    }
    if series.frameCount < minimumSlices {
      return Refusal(
        "too_few_slices",
        "has \(series.frameCount) slice(s), fewer than selection.minimum_slices \(minimumSlices)")
    }
    return nil
  }

  /// The preferred series for one side of a rule, one for each value of `key`.
  ///
  /// Preference: most slices, then lowest Series Number, then lowest UID, so that the choice is always the same.
  func choose(
    _ criteria: SeriesCriteria, from series: [Series], per key: (Series) -> String,
    plans: [String: SeriesPlan]
  ) -> [Series] {
    let matching = series.filter { matches($0, criteria) }
    return Dictionary(grouping: matching, by: key).sorted { $0.key < $1.key }.compactMap { _, rivals in
      rivals.min { preference($0, plans) < preference($1, plans) }
    }
  }

  private func matches(_ series: Series, _ criteria: SeriesCriteria) -> Bool {
    guard series.modality == criteria.modality else { return false }
    guard let text = criteria.description, let regex = try? Regex(text).ignoresCase() else { return true }
    return [series.first.seriesDescription, series.first.protocolName].compactMap { $0 }.contains {
      $0.contains(regex)
    }
  }

  private func preference(_ series: Series, _ plans: [String: SeriesPlan]) -> (Int, Int, String) {
    let slices = plans[series.uid]?.grid.slices ?? 0
    return (-slices, series.first.seriesNumber ?? Int.max, series.uid)
  }
}
