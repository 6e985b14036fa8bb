// From the settings and a series' values to the linear map that brings them to 0…1, with a record of what was chosen.

import DICOM
import Imaging

/// What was applied to one series; goes into the ledger.
public struct AppliedNormalization: Codable, Hashable, Sendable {
  public let method: String
  public let unit: String
  /// Value mapped to 0, in `unit`.
  public let lower: Double
  /// Value mapped to 1, in `unit`.
  public let upper: Double
  /// Factor from stored (rescaled) values to SUVbw, g/ml per Bq/ml, where one was applied.
  public let suvFactor: Double?
  /// Why the configured method could not be used, where another one was.
  public let fallback: String?

  enum CodingKeys: String, CodingKey {
    case method, unit, lower, upper, fallback
    case suvFactor = "suv_factor"
  }
}

public enum Normalizer {
  /// Percentiles used where an SUV was asked for and cannot be computed.
  static let suvFallback = (low: 1.0, high: 99.9)

  /// - Parameter voxels: asked for only where the map depends on them.
  /// - Throws: `ImagingError` where the values cannot be normalised (constant, or nothing but padding); what `voxels`
  ///   throws.
  static func normalization(
    of series: SeriesPlan, settings: NormalizationSettings, voxels: () throws -> Volume
  ) throws -> (map: IntensityNormalization, applied: AppliedNormalization) {
    var fallback: String?
    let map: IntensityNormalization
    switch settings {
    case .window(let center, let width) where series.unit == "HU":
      map = try .window(center: center, width: width, unit: series.unit)
    case .window:
      fallback = "the values are in \(series.unit), not HU; percentiles used"
      map = try percentiles(voxels(), series.unit, (1, 99.5))
    case .percentiles(let low, let high, let floor):
      map = try percentiles(
        voxels(), series.unit, (low, high), ignoringBackground: series.modality == "MR"
      ).raised(to: floor)
    case .suv(let low, let high, let floor) where series.unit == "SUVbw":
      map = try .suvRange(lower: low, upper: high).raised(to: floor)
    case .suv(_, _, let floor):
      fallback =
        series.notes.first { $0.contains("SUV") }
        ?? "no SUV can be computed from the headers; percentiles used"
      map = try percentiles(voxels(), series.unit, suvFallback).raised(to: floor)
    }
    let applied = AppliedNormalization(
      method: map.method.rawValue, unit: series.unit, lower: Double(map.lower), upper: Double(map.upper),
      suvFactor: series.suvFactor, fallback: fallback)
    return (map, applied)
  }

  private static func percentiles(
    _ volume: Volume, _ unit: String, _ range: (low: Double, high: Double), ignoringBackground: Bool = false
  ) throws -> IntensityNormalization {
    try .percentiles(
      of: volume, low: range.low, high: range.high, unit: unit, ignoringBackground: ignoringBackground)
  }
}
