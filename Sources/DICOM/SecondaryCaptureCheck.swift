// Reading a written capture back and comparing it with what was meant, before anybody else may see it.

import Imaging

extension DICOMError.Reason {
  /// A written capture, read back, is not what was meant.
  public static let verificationFailed = Self("verification_failed")
}

/// The check that stands between writing a capture and publishing it.
public enum SecondaryCaptureCheck {
  /// How far a length (mm) or a direction cosine may be off: far above what 16 characters of a DS lose, far below
  /// any pixel.
  static let tolerance = 1e-6

  /// Explicit VR Little Endian.
  static let transferSyntaxUID = "1.2.840.10008.1.2.1"

  /// Parses the file to its end and compares identifiers, size, geometry and every pixel.
  ///
  /// Throws what opening and decoding throw, and `verification_failed` naming the attribute that differs.
  public static func verify(path: String, against capture: SecondaryCapture) throws(DICOMError) {
    let file = try DICOMFile(path: path)
    let identity = capture.identity
    let grid = capture.place.grid
    try expect(file.transferSyntax() == transferSyntaxUID, "Transfer Syntax UID", path)
    for (tag, expected, name) in [
      (Tag.sopClassUID, SecondaryCapture.sopClassUID, "SOP Class UID"),
      (.mediaStorageSOPInstanceUID, identity.sopInstanceUID, "Media Storage SOP Instance UID"),
      (.sopInstanceUID, identity.sopInstanceUID, "SOP Instance UID"),
      (.seriesInstanceUID, identity.seriesInstanceUID, "Series Instance UID"),
      (.studyInstanceUID, capture.fixed.studyInstanceUID, "Study Instance UID"),
      (.frameOfReferenceUID, capture.place.frameOfReferenceUID, "Frame of Reference UID"),
    ] {
      try expect(file.word(tag) == expected, name, path)
    }
    let row = grid.rowDirection
    let column = grid.columnDirection
    for (tag, expected, name) in [
      (Tag.imagePositionPatient, [grid.origin.x, grid.origin.y, grid.origin.z], "Image Position (Patient)"),
      (
        .imageOrientationPatient, [row.x, row.y, row.z, column.x, column.y, column.z],
        "Image Orientation (Patient)"
      ),
      (.pixelSpacing, [grid.rowSpacing, grid.columnSpacing], "Pixel Spacing"),
    ] {
      try expect(isClose(file.numbers(tag), expected), name, path)
    }
    try verifyPixels(of: file, against: capture)
  }

  private static func verifyPixels(
    of file: borrowing DICOMFile, against capture: SecondaryCapture
  ) throws(DICOMError) {
    let path = file.path
    let pixels = try file.pixelDescription()
    try expect(pixels.rows == capture.place.grid.rows, "Rows", path)
    try expect(pixels.columns == capture.place.grid.columns, "Columns", path)
    try expect(pixels.samplesPerPixel == capture.pixels.samplesPerPixel, "Samples per Pixel", path)
    try expect(pixels.bitsAllocated == capture.pixels.bitsAllocated, "Bits Allocated", path)
    var stored: [UInt8] = []
    try file.decode(frame: 0, of: pixels, into: &stored)
    try expect(stored == capture.pixels.bytes, "Pixel Data", path)
  }

  /// How far the pixels of a file are from those of a capture of the same size: largest difference in grey levels.
  ///
  /// Throws what opening and decoding throw, and `verification_failed` where the layouts differ.
  public static func largestDifference(path: String, from capture: SecondaryCapture) throws(DICOMError) -> Int
  {
    let file = try DICOMFile(path: path)
    let layout = try file.pixelDescription()
    var stored: [UInt8] = []
    try file.decode(frame: 0, of: layout, into: &stored)
    let meant = capture.pixels.bytes
    try expect(layout.bitsAllocated == 8 && stored.count == meant.count, "Pixel layout", path)
    return zip(stored, meant).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  private static func isClose(_ found: [Double]?, _ expected: [Double]) -> Bool {
    guard let found, found.count == expected.count else { return false }
    return zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
  }

  private static func expect(_ holds: Bool, _ name: String, _ path: String) throws(DICOMError) {
    guard !holds else { return }
    throw DICOMError(
      .verificationFailed, subject: path,
      detail: "\(name), read back, is not what was written; check the disk and run again")
  }
}
