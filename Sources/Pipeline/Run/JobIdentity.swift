// What makes a piece of work this piece of work, and the UIDs that follow from it. Nothing drawn, nothing timed.

public import DICOM

/// Identity of the fusion of one pair: the same inputs, model, settings and software give the same UIDs.
public struct JobIdentity: Hashable, Sendable {
  /// SHA-256 over the sorted digests of all files of both series, and of the registrations that relate them.
  public let inputsSHA256: String
  public let outputSeriesUID: String

  public init(_ pair: Pair, modelSHA256: String, settings: Settings) {
    let files = [pair.fixed.members, pair.moving.members, pair.transform.objects].filter { !$0.isEmpty }
    let digests = files.map { $0.map(\.sha256).sorted().joined(separator: "\n") }
    inputsSHA256 = sha256Hex(digests.joined(separator: "\n\n"))
    outputSeriesUID = UID.derived(from: [
      "fuseline series", pair.rule.name, pair.fixed.uid, pair.moving.uid, inputsSHA256, modelSHA256,
      settings.digest, Software.version,
    ])
  }

  /// SOP Instance UID of the image fused on one slice of the fixed series.
  public func outputUID(fixed: SourceFrame) -> String {
    UID.derived(from: [
      "fuseline slice", outputSeriesUID, fixed.sopInstanceUID, fixed.frame.map(String.init) ?? "",
    ])
  }
}
