// The registration of a pair as an object beside its fused slices, so that other programs can place the series alike.

import DICOM
import Foundation

/// The object of a registration, as it lies in the output folder.
public struct RegistrationOutput: Codable, Hashable, Sendable {
  public let sop: String
  public let series: String
  /// Relative to the output folder.
  public let path: String
  public let sha256: String
}

/// A registration object on its way from the worker to the coordinator, which puts it in place.
struct RegistrationDelivery: Codable, Sendable {
  let output: RegistrationOutput
  let bytes: Data
}

extension SliceDelivery {
  /// What is added to the output's series number for the series of the registration.
  private static let seriesNumberOffset = 500

  /// The encoded object; nil where no frames of reference were related by voxels, or the settings want none.
  ///
  /// - Throws: `DICOMError`.
  func registration() throws -> RegistrationDelivery? {
    guard settings.output.registrationObject, let object = registrationObject() else { return nil }
    let bytes = Data(try object.encoded())
    let place = OutputPath(
      study: object.fixed.studyInstanceUID, series: object.seriesInstanceUID, instance: object.sopInstanceUID)
    return RegistrationDelivery(
      output: RegistrationOutput(
        sop: object.sopInstanceUID, series: object.seriesInstanceUID, path: place.relative,
        sha256: sha256Hex(bytes)),
      bytes: bytes)
  }

  private func registrationObject() -> RegistrationObject? {
    let pair = volumes.pair
    let first = pair.fixed.first
    guard let rigid = volumes.registration.rigid, let matrix = volumes.registration.matrix,
      let fixedFrame = first.frameOfReferenceUID, let movingFrame = pair.moving.first.frameOfReferenceUID,
      fixedFrame != movingFrame, let source = sources(pair.fixed).first
    else { return nil }
    let members = (pair.fixed.members + pair.moving.members).map(\.instance)
    let dates = SecondaryCapture.Dates.latest(series: members, content: members)
    guard dates.contentDate != nil else { return nil }
    return RegistrationObject(
      sopInstanceUID: UID.derived(from: ["fuseline registration", identity.outputSeriesUID]),
      seriesInstanceUID: UID.derived(from: ["fuseline registration series", identity.outputSeriesUID]),
      seriesNumber: settings.output.seriesNumber + Self.seriesNumberOffset + (first.seriesNumber ?? 0),
      fixedFrameUID: fixedFrame, movingFrameUID: movingFrame, movingToFixed: Self.inverse(matrix),
      dates: dates, fixed: source, fixedSources: sources(pair.fixed), movingSources: sources(pair.moving),
      comment: String(format: "NMI %.4f to %.4f, misfit %.4f", rigid.before, rigid.after, rigid.misfit ?? 0),
      product: SecondaryCapture.Product(version: Software.version))
  }

  private func sources(_ series: Series) -> [SecondaryCapture.Source] {
    series.members.sorted { $0.instance.sopInstanceUID < $1.instance.sopInstanceUID }.map {
      SecondaryCapture.Source($0.instance, frames: nil, spatialLocationsPreserved: true, path: $0.path)
    }
  }

  /// Moving to fixed positions from fixed to moving ones: the transposed rotation, and the shift turned back.
  private static func inverse(_ m: [Double]) -> [Double] {
    let rows = (0..<3).map { row in
      let turned = (0..<3).map { m[4 * $0 + row] }
      return turned + [-(turned[0] * m[3] + turned[1] * m[7] + turned[2] * m[11])]
    }
    return rows.flatMap { $0 } + [0, 0, 0, 1]
  }
}
