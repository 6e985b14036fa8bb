// A published image as 8-bit samples, read back from its DICOM file.

internal import DICOM
internal import Pictures

enum PublishedPicture {
  /// - Throws: `DICOMError` where the file is missing, damaged or not as the program writes them.
  static func samples(_ path: String) throws(DICOMError) -> Samples {
    let file = try DICOMFile(path: path)
    let layout = try file.pixelDescription()
    var bytes: [UInt8] = []
    try file.decode(frame: 0, of: layout, into: &bytes)
    guard layout.bitsAllocated == 8, [1, 3].contains(layout.samplesPerPixel) else {
      throw DICOMError(.unsupportedPixels, subject: path, detail: "is not an image that Fuseline writes")
    }
    return Samples(
      columns: layout.columns, rows: layout.rows, channels: layout.samplesPerPixel, bytes: bytes)
  }
}
