// When the scan that a PET series is decay-corrected to began; series times lie after reprocessing.

extension SUVFactor {
  /// Seconds since 1970 of the decay reference of a START-corrected series.
  ///
  /// Series Date and Time, unless they lie after the earliest acquisition (a reprocessed series). Then GE's
  /// private scan time; else the acquisition time less the Frame Reference Time, moved to the moment of average
  /// activity in the frame; else the earliest acquisition.
  static func scanStart(
    _ instance: Instance, _ pet: PETHeader, _ halfLife: Double, _ series: [Instance]
  ) -> Double? {
    let acquisitions = series.compactMap(acquisition)
    let seriesStart = DICOMTime.seconds(date: instance.seriesDate, time: instance.seriesTime)
    guard let earliest = acquisitions.min() else { return seriesStart }
    if let seriesStart, seriesStart <= earliest { return seriesStart }
    if let text = pet.geScanDateTime, let scan = DICOMTime.seconds(dateTime: text) { return scan.seconds }
    if let acquired = acquisition(instance), let reference = pet.frameReferenceTime, reference > 0,
      let duration = pet.actualFrameDuration, duration > 0
    {
      return acquired - reference / 1000 + averageActivityTime(duration / 1000, halfLife: halfLife)
    }
    return earliest
  }

  /// Seconds into a frame of `duration` s at which the activity equals its average over the frame.
  static func averageActivityTime(_ duration: Double, halfLife: Double) -> Double {
    let decay = duration / halfLife * 0.693_147_180_559_945_3
    // ln(d / (1 − e^−d)) / d → 1/2 for short frames, where the quotient loses its digits.
    guard decay > 1e-6 else { return duration / 2 }
    return duration / decay * logarithm(decay / (1 - exponential2(-duration / halfLife)))
  }

  private static func acquisition(_ instance: Instance) -> Double? {
    DICOMTime.seconds(
      date: instance.acquisitionDate ?? instance.seriesDate, time: instance.acquisitionTime)
  }
}
