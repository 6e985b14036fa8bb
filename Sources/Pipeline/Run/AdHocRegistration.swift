// `register`: two series brought together by their voxels, and what speaks for the result; nothing is fused.

import DICOM
import Foundation
import Imaging
public import Registration

/// What an ad hoc registration found.
public struct RegistrationReport: Encodable, Sendable {
  public struct Side: Encodable, Sendable {
    public let series: String
    public let modality: String
    public let frameOfReference: String?

    enum CodingKeys: String, CodingKey {
      case series, modality
      case frameOfReference = "frame_of_reference"
    }

    init(_ series: Series) {
      self.series = series.uid
      modality = series.modality
      frameOfReference = series.first.frameOfReferenceUID
    }
  }

  public let fixed: Side
  public let moving: Side
  /// Fixed to moving coordinates, 4×4 row-major, mm.
  public let matrix: [Double]
  public let evidence: RigidRecord
  public let verdict: RegistrationVerdict
  public let seconds: Double
}

public struct AdHocRegistration: Sendable {
  let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  /// Registers the series in `moving` to the one in `fixed`, whatever their frames of reference.
  ///
  /// - Throws: `FileError`, `DICOMError` for files that are not usable, `PairRefusal` for a pair that no rule fuses, that is
  ///   of different patients, or that cannot be registered at all.
  public func register(fixed: String, moving: String) throws -> RegistrationReport {
    var settings = settings
    settings.alignment.registration = .rigid
    let pair = try AdHocPair(settings: settings).pair(fixed: fixed, moving: moving)
    let volumes = try (
      fixed: PlannedSeries(pair.fixed, pair.fixedPlan).read(),
      moving: PlannedSeries(pair.moving, pair.movingPlan).read()
    )
    let started = ContinuousClock.now
    let found = FoundRegistration(
      (
        fixed: try FoundRegistration.pyramid(volumes.fixed, "fixed \(pair.fixed.modality)"),
        moving: try FoundRegistration.pyramid(volumes.moving, "moving \(pair.moving.modality)")
      ), modalities: (pair.fixed.modality, pair.moving.modality))
    return RegistrationReport(
      fixed: .init(pair.fixed), moving: .init(pair.moving), matrix: found.transform.matrix,
      evidence: found.record,
      verdict: found.verdict, seconds: (ContinuousClock.now - started) / .seconds(1))
  }
}
