// Decodes files, lets pydicom judge the stored values, and says how each came out.

import DICOM
import Foundation

struct Comparison {
  struct Verdict {
    let path: String
    /// `equal`, `equal-lossy`, `different`, `refused` (pydicom reads it) or `judge-refuses`.
    let word: String
    let detail: String
    /// The reader's reason, where it refused.
    let reason: String?
  }

  let scratch: URL

  func verdicts(of paths: [String]) throws -> [Verdict] {
    var manifest = ""
    var reasons: [String: String] = [:]
    for (index, path) in paths.enumerated() {
      let raw = scratch.appending(path: "\(index).raw")
      do throws(DICOMError) {
        let pixels = try decodeAll(path, to: raw)
        let numbers = [
          pixels.rows, pixels.columns, pixels.samplesPerPixel, pixels.frames, pixels.bitsAllocated / 8,
          pixels.isSigned ? 1 : 0,
        ]
        manifest += ([path, raw.path] + numbers.map(String.init)).joined(separator: "\t") + "\n"
      } catch {
        reasons[path] = error.reason.rawValue
        manifest += "\(path)\t-\t0\t0\t0\t0\t1\t0\n"
      }
    }
    let list = scratch.appending(path: "manifest.tsv")
    try Data(manifest.utf8).write(to: list)
    return try Laboratory.run("compare.py", [list.path]).split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Verdict(path: fields[0], word: fields[1], detail: fields[2], reason: reasons[fields[0]])
    }
  }

  private func decodeAll(_ path: String, to raw: URL) throws(DICOMError) -> PixelDescription {
    let file = try DICOMFile(path: path)
    try file.checkPixels()
    let pixels = try file.pixelDescription()
    var all = Data()
    var bytes: [UInt8] = []
    for frame in 0..<pixels.frames {
      try file.decode(frame: frame, of: pixels, into: &bytes)
      all.append(contentsOf: bytes)
    }
    guard (try? all.write(to: raw)) != nil else {
      throw DICOMError(.unreadable, subject: raw.path, detail: "cannot be written")
    }
    return pixels
  }
}
