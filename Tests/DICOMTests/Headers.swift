// Headers made up in memory for the gate and SUV tests: a plain series, to be bent by each test.

import DICOM

enum Headers {
  static let ct = "1.2.840.10008.5.1.4.1.1.2"
  static let mr = "1.2.840.10008.5.1.4.1.1.4"
  static let pet = "1.2.840.10008.5.1.4.1.1.128"

  /// One axial slice at `z` mm.
  static func slice(
    _ number: Int, z: Double, modality: String = "CT", sopClass: String = ct
  ) -> Instance {
    var instance = Instance(
      sopInstanceUID: "1.2.3.\(number)", sopClassUID: sopClass, transferSyntaxUID: "1.2.840.10008.1.2.1",
      studyInstanceUID: "1.2", seriesInstanceUID: "1.2.3", frameOfReferenceUID: "1.2.4", patient: Patient(),
      modality: modality, isImage: true, pixels: PixelDescription(rows: 4, columns: 6),
      frames: [
        FrameGeometry(
          position: SIMD3(-10, -20, z), orientation: [1, 0, 0, 0, 1, 0], pixelSpacing: [2, 1],
          sliceThickness: 3)
      ])
    instance.instanceNumber = number
    instance.imageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    return instance
  }

  /// `count` axial slices, 3 mm apart, in shuffled order of depth.
  static func stack(_ count: Int = 8, modality: String = "CT", sopClass: String = ct) -> [Instance] {
    (0..<count).map { slice($0 + 1, z: 3 * Double($0), modality: modality, sopClass: sopClass) }.reversed()
  }

  /// A stack of PET slices whose header leads to SUV: injection 1 h before the scan, F-18, 370 MBq, 70 kg.
  static func petStack(_ count: Int = 3) -> [Instance] {
    stack(count, modality: "PT", sopClass: pet).map { slice in
      var slice = slice
      slice.seriesDate = "20240229"
      slice.seriesTime = "110000"
      slice.acquisitionDate = "20240229"
      slice.acquisitionTime = "110500.00"
      var header = PETHeader()
      header.units = "BQML"
      header.decayCorrection = "START"
      header.correctedImage = ["DECY", "ATTN", "SCAT"]
      header.startDateTime = "20240229100000.00"
      header.totalDose = 3.7e8
      header.halfLife = 6586.2
      header.patientWeight = 70
      slice.pet = header
      return slice
    }
  }
}
