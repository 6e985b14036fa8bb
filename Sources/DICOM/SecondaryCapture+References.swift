// What the capture refers to: references and derivation; their scanners are in the next file.

/// A coded concept of the DICOM controlled terminology (PS3.16 annex D).
struct Code {
  let value: String
  let meaning: String

  static let spatialResampling = Code(value: "113085", meaning: "Spatial resampling")
  static let deformedForRegistration = Code(value: "125027", meaning: "Deformed for Registration")
  static let sourceImage = Code(value: "121322", meaning: "Source image for image processing operation")
  static let acquisitionEquipment = Code(value: "109101", meaning: "Acquisition Equipment")
  static let frameOfReferenceIdentity = Code(value: "125021", meaning: "Frame of Reference Identity")
  static let imageContentAlignment = Code(value: "125024", meaning: "Image Content-based Alignment")
  static let processingEquipment = Code(value: "109102", meaning: "Processing Equipment")
}

extension DatasetBuilder {
  func item(_ sequence: Tag, _ code: Code) throws(DICOMError) {
    try item(sequence) { () throws(DICOMError) in
      try put(.codeValue, code.value)
      try put(.codingSchemeDesignator, "DCM")
      try put(.codeMeaning, code.meaning)
    }
  }
}

extension SecondaryCapture {
  /// General Reference (C.12.4): the source images and what was done to them (CID 7202, CID 7203).
  func writeReferences(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    for source in sources {
      try set.item(.sourceImageSequence) { () throws(DICOMError) in
        try source.writeReference(set)
        try set.put(.spatialLocationsPreserved, source.spatialLocationsPreserved ? "YES" : "NO")
        try set.item(.purposeOfReferenceCodeSequence, .sourceImage)
      }
    }
    try set.put(.derivationDescription, PlainText.line(derivation.facts.joined(separator: "; "), limit: 1024))
    try set.item(.derivationCodeSequence, .spatialResampling)
    if derivation.aligned { try set.item(.derivationCodeSequence, .deformedForRegistration) }
  }
}

extension DatasetBuilder {
  /// Common Instance Reference (C.12.2): sources by series, those of other studies than `study` apart.
  func putInstanceReferences(
    to sources: [SecondaryCapture.Source], study: String
  ) throws(DICOMError) {
    try putSeries(of: sources.filter { $0.studyInstanceUID == study })
    for others in sources.filter({ $0.studyInstanceUID != study }).grouped(by: \.studyInstanceUID) {
      try item(.studiesContainingOtherReferencedInstancesSequence) { () throws(DICOMError) in
        try put(.studyInstanceUID, others[0].studyInstanceUID)
        try putSeries(of: others)
      }
    }
  }

  private func putSeries(of sources: [SecondaryCapture.Source]) throws(DICOMError) {
    for instances in sources.grouped(by: \.seriesInstanceUID) {
      try item(.referencedSeriesSequence) { () throws(DICOMError) in
        try put(.seriesInstanceUID, instances[0].seriesInstanceUID)
        for instance in instances {
          try item(.referencedInstanceSequence) { () throws(DICOMError) in
            // Whole instances only: this module knows no frames.
            try put(.referencedSOPClassUID, instance.sopClassUID)
            try put(.referencedSOPInstanceUID, instance.sopInstanceUID)
          }
        }
      }
    }
  }
}

extension SecondaryCapture.Source {
  /// Image SOP Instance Reference Macro (table 10-3), with the frames of a multi-frame image.
  fileprivate func writeReference(_ set: borrowing DatasetBuilder) throws(DICOMError) {
    try set.put(.referencedSOPClassUID, sopClassUID)
    try set.put(.referencedSOPInstanceUID, sopInstanceUID)
    if let frames { try set.put(.referencedFrameNumber, frames.map(String.init).joined(separator: "\\")) }
  }
}

extension Array {
  /// Elements with equal keys together, groups in the order of their first elements.
  func grouped(by key: (Element) -> String) -> [[Element]] {
    var order: [String] = []
    var groups: [String: [Element]] = [:]
    for element in self {
      if groups[key(element)] == nil { order.append(key(element)) }
      groups[key(element), default: []].append(element)
    }
    return order.compactMap { groups[$0] }
  }
}
