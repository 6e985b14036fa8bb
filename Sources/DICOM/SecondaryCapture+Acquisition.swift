// What the capture takes over from its sources' acquisition: which scanners made them, and what compression lost.

extension SecondaryCapture {
  /// Contributing Equipment (C.12.1.1.5) and the lossy compression entries of General Image. Opens every source
  /// file once; `fixed` is open already.
  func writeAcquisition(_ set: borrowing DatasetBuilder, from fixed: borrowing DICOMFile) throws(DICOMError) {
    try writeProcessingEquipment(set)
    try writeAcquisitionEquipment(set, of: fixed, sharesCharacterSet: true)
    var isLossy = try writeLossyCompression(set, of: fixed)
    let characterSet = fixed.bytes(.specificCharacterSet)
    let others = sources.filter { $0.path != self.fixed.path }
    for (index, source) in others.enumerated() {
      if others[..<index].contains(where: { $0.path == source.path }) { continue }
      let isFirst = !sources.prefix { $0 != source }.contains {
        $0.seriesInstanceUID == source.seriesInstanceUID
      }
      guard isFirst || !isLossy else { continue }
      let file = try DICOMFile(path: source.path)
      if isFirst {
        let shares = file.bytes(.specificCharacterSet) == characterSet
        try writeAcquisitionEquipment(set, of: file, sharesCharacterSet: shares)
      }
      if !isLossy { isLossy = try writeLossyCompression(set, of: file) }
    }
    if !isLossy { try set.put(.lossyImageCompression, "00") }
  }

  /// This program. The time of the contribution is left out: it would make a rerun differ.
  private func writeProcessingEquipment(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.item(.contributingEquipmentSequence) { () throws(DICOMError) in
      try set.put(.manufacturer, PlainText.line(product.manufacturer, limit: 64))
      try set.put(.manufacturerModelName, PlainText.line(product.modelName, limit: 64))
      try set.put(.softwareVersions, PlainText.line(product.version, limit: 64))
      try set.put(.contributionDescription, "Alignment and fusion of two image series")
      try set.item(.purposeOfReferenceCodeSequence, .processingEquipment)
    }
  }

  /// The scanner of a source series, without its Device UID. Text that needs another character set than the
  /// capture's is left out.
  private func writeAcquisitionEquipment(
    _ set: borrowing DatasetBuilder, of file: borrowing DICOMFile, sharesCharacterSet: Bool
  ) throws(DICOMError) {
    try set.item(.contributingEquipmentSequence) { () throws(DICOMError) in
      let manufacturer = file.equipmentText(.manufacturer, anyBytes: sharesCharacterSet)
      try set.put(.manufacturer, bytes: manufacturer ?? Array("unknown".utf8))
      for tag in CopiedAttributes.equipment {
        guard let text = file.equipmentText(tag, anyBytes: sharesCharacterSet) else { continue }
        try set.put(tag, bytes: text)
      }
      let modality = PlainText.line(file.word(.modality) ?? "source", limit: 16)
      try set.put(.contributionDescription, "Acquisition of the \(modality) series")
      try set.item(.purposeOfReferenceCodeSequence, .acquisitionEquipment)
    }
  }

  /// An image derived from a lossy one is lossy (C.7.6.1.1.5): copies what is known of the loss. False when
  /// nothing was lost.
  private func writeLossyCompression(
    _ set: borrowing DatasetBuilder, of file: borrowing DICOMFile
  ) throws(DICOMError) -> Bool {
    guard try file.isLossy() else { return false }
    try set.put(.lossyImageCompression, "01")
    try set.copy(.lossyImageCompressionRatio, from: file)
    try set.copy(.lossyImageCompressionMethod, from: file)
    return true
  }
}

extension DICOMFile {
  /// JPEG baseline and extended, JPEG-LS near-lossless, JPEG 2000 and High-Throughput JPEG 2000 (PS3.6 table A-1):
  /// syntaxes that lose something or may.
  private static let lossySyntaxes: Set<String> = [
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.203",
  ]

  /// Lossy Image Compression (0028,2110) decides; where it is silent, the transfer syntax.
  fileprivate borrowing func isLossy() throws(DICOMError) -> Bool {
    switch word(.lossyImageCompression) {
    case "01": true
    case "00": false
    default: Self.lossySyntaxes.contains(try transferSyntax())
    }
  }

  /// The stored bytes of a text; nil when there are none, or when only ASCII will do and it is not.
  fileprivate borrowing func equipmentText(_ tag: Tag, anyBytes: Bool) -> [UInt8]? {
    guard let bytes = bytes(tag), !bytes.isEmpty else { return nil }
    return anyBytes || bytes.allSatisfy { (0x20...0x7E).contains($0) } ? bytes : nil
  }
}
