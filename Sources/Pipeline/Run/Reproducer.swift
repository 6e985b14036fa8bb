// `audit reproduce`: one output made anew from what the ledger recorded, and compared; writes nothing anywhere.

import Crypto
import DICOM
import Foundation
import Imaging
import Provenance

/// Whether an output could be made again.
public struct Reproduction: Encodable, Sendable {
  public let output: String
  public let recordedSHA256: String
  public let sha256: String
  public var isIdentical: Bool { recordedSHA256 == sha256 }
  /// Largest difference of any pixel from the published file, grey levels; nil where that file is missing.
  public let largestDifference: Int?
  /// What computed it then and now: results differ between processors in their last bits.
  public let recordedSoftware: String
  public let software: String

  enum CodingKeys: String, CodingKey {
    case output, sha256, software
    case recordedSHA256 = "recorded_sha256"
    case isIdentical = "identical"
    case largestDifference = "largest_difference"
    case recordedSoftware = "recorded_software"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(output, forKey: .output)
    try container.encode(recordedSHA256, forKey: .recordedSHA256)
    try container.encode(sha256, forKey: .sha256)
    try container.encode(isIdentical, forKey: .isIdentical)
    try container.encode(largestDifference, forKey: .largestDifference)
    try container.encode(recordedSoftware, forKey: .recordedSoftware)
    try container.encode(software, forKey: .software)
  }
}

public struct Reproducer: Sendable {
  let settings: Settings
  let software: Software

  /// - Parameter settings: where store, outputs and models are; what shaped the output comes from the ledger.
  public init(settings: Settings, software: Software) {
    self.settings = settings
    self.software = software
  }

  /// - Throws: `PairRefusal` where the inputs, the model or the program are not those of then, `LedgerError`,
  ///   `ModelError`, `DICOMError` for stored files that cannot be read.
  public func reproduce(_ uid: String) throws -> Reproduction {
    let ledger = try Ledger.openReadOnly(path: settings.ledger)
    guard case .output(let lineage) = try ledger.lineage(uid) else {
      throw LedgerError(
        .notFound, subject: uid, detail: "the ledger knows no output of this UID, see audit outputs")
    }
    let recorded = try RecordedJob(ledger.job(lineage.output.job).job, ledger: ledger, settings: settings)
    let capture = try recorded.delivery.capture(recorded.fuser().fuse(slice: lineage.output.slice))
    let published = settings.folders.output + "/" + lineage.output.path
    return Reproduction(
      output: uid, recordedSHA256: lineage.output.sha256,
      sha256: hex(SHA256.hash(data: try capture.encoded())),
      largestDifference: FileSystem.exists(published)
        ? try SecondaryCaptureCheck.largestDifference(path: published, from: capture) : nil,
      recordedSoftware: "\(lineage.software.version), \(lineage.software.blas), \(lineage.software.kernels)",
      software: "\(software.version), \(software.blas), \(software.kernels)")
  }
}
