// Headers made up for pairing tests: series of parallel slices, as a scanner would describe them.

import DICOM
import Foundation

@testable import Pipeline

/// What a test varies about a series; everything else is ordinary.
struct Made {
  var uid: String
  var modality: String
  var study = "1.2.3"
  var frame: String? = "1.2.3.9"
  var patient = Patient(patientID: "P1", name: "Phantom^Ada", birthDate: "19700101", sex: "F")
  var description: String? = nil
  var number = 1
  var slices = 5
  var spacing = 3.0
  var date = "20260101"
  /// Anything else, done to every instance.
  var change: @Sendable (inout Instance) -> Void = { _ in }

  /// The series' instances, one a slice.
  func instances() -> [CataloguedInstance] {
    (0..<slices).map { slice in
      var instance = Instance(
        sopInstanceUID: "\(uid).\(slice + 1)", sopClassUID: sopClass,
        transferSyntaxUID: "1.2.840.10008.1.2.1",
        studyInstanceUID: study, seriesInstanceUID: uid, frameOfReferenceUID: frame, patient: patient,
        modality: modality, isImage: true, pixels: PixelDescription(rows: 8, columns: 8),
        frames: [
          FrameGeometry(
            position: SIMD3(0, 0, Double(slice) * spacing), orientation: [1, 0, 0, 0, 1, 0],
            pixelSpacing: [1, 1],
            sliceThickness: spacing)
        ])
      instance.seriesNumber = number
      instance.instanceNumber = slice + 1
      instance.seriesDescription = description
      instance.imageType = ["ORIGINAL", "PRIMARY"]
      instance.studyDate = date
      if modality == "MR" { instance.mr = MRHeader() }
      change(&instance)
      return CataloguedInstance(
        instance: instance, path: "/store/\(uid)/\(slice)", sha256: "\(uid)-\(slice)")
    }
  }

  private var sopClass: String {
    switch modality {
    case "CT": "1.2.840.10008.5.1.4.1.1.2"
    case "PT": "1.2.840.10008.5.1.4.1.1.128"
    default: "1.2.840.10008.5.1.4.1.1.4"
    }
  }
}

/// The result of pairing made-up series under a configuration.
func pair(_ series: [Made], _ yaml: String = "") throws -> PairingResult {
  let settings = try Settings(yaml: yaml, file: "/site/pipeline.yaml")
  return Pairing(settings).pairs(in: Catalogue(series.flatMap { $0.instances() }))
}

/// A small repeatable random generator (SplitMix64, Steele et al. 2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
