// Every file of the robustness corpus: the same stored values as pydicom, or a typed error. Never a crash.

import DICOM
import Foundation
import Testing

@Suite struct `Robustness corpus` {
  /// A refusal where pydicom reads, each for a stated reason.
  static let accepted: Set<String> = []

  @Test func `every file gives pydicom's stored values or a typed error`() throws {
    guard let folder = Laboratory.shared("dicom-robustness") else { return }
    guard Laboratory.hasPython else { return print("skipped: no .venv/bin/python") }
    let scratch = try Laboratory.scratch()
    defer { try? FileManager.default.removeItem(at: scratch) }
    var manifest = ""
    var reasons: [String: String] = [:]
    for (index, path) in Laboratory.files(under: folder).enumerated() {
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
    let verdicts = try Laboratory.run("compare.py", [list.path]).split(separator: "\n")
    report(
      verdicts.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }, reasons)
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

  private func report(_ verdicts: [[String]], _ reasons: [String: String]) {
    var counts: [String: Int] = [:]
    for verdict in verdicts {
      let name = verdict[0].components(separatedBy: "dicom-robustness/").last ?? verdict[0]
      let outcome = reasons[verdict[0]].map { "refused: \($0)" } ?? verdict[1]
      counts[outcome, default: 0] += 1
      if outcome != "equal" { print("corpus: \(name): \(outcome); pydicom: \(verdict[1]) \(verdict[2])") }
      #expect(verdict[1] != "different", "\(name): \(verdict[2])")
    }
    for (outcome, count) in counts.sorted(by: { $0.key < $1.key }) { print("corpus: \(count) × \(outcome)") }
  }
}
