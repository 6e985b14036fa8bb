// Every file of the robustness corpus: the same stored values as pydicom, or a typed error. Never a crash.

import DICOM
import Foundation
import Testing

@Suite struct `Robustness corpus` {
  @Test func `every file gives pydicom's stored values or a typed error`() throws {
    guard let folder = Laboratory.shared("dicom-robustness") else { return }
    guard Laboratory.hasPython else { return print("skipped: no .venv/bin/python") }
    let scratch = try Laboratory.scratch()
    defer { try? FileManager.default.removeItem(at: scratch) }
    let paths = Laboratory.files(under: folder)
    let verdicts = try Comparison(scratch: scratch).verdicts(of: paths)
    #expect(verdicts.count == paths.count)
    var counts: [String: Int] = [:]
    for verdict in verdicts {
      let name = verdict.path.components(separatedBy: "dicom-robustness/").last ?? verdict.path
      let outcome = verdict.reason.map { "refused: \($0)" } ?? verdict.word
      counts[outcome, default: 0] += 1
      if outcome != "equal" {
        print("corpus: \(name): \(outcome); pydicom: \(verdict.word) \(verdict.detail)")
      }
      #expect(verdict.word != "different", "\(name): \(verdict.detail)")
    }
    for (outcome, count) in counts.sorted(by: { $0.key < $1.key }) { print("corpus: \(count) × \(outcome)") }
    #expect(counts["equal", default: 0] + counts["equal-lossy", default: 0] >= 200)
  }

  @Test func `headers of the corpus are read or refused with a reason`() throws {
    guard let folder = Laboratory.shared("dicom-robustness") else { return }
    var images = 0
    for path in Laboratory.files(under: folder) {
      guard let instance = try? InstanceReader.read(path: path) else { continue }
      guard instance.isImage else { continue }
      images += 1
      #expect(instance.frames.count == instance.pixels.frames, "\(path)")
      // A series of one file: whatever it holds, the gate answers.
      _ = try? SeriesReader.plan([instance])
    }
    print("corpus: \(images) usable images by header")
    #expect(images > 100)
  }

  /// DCMTK 3.6.7 walks such a header without end.
  @Test(.timeLimit(.minutes(30)))
  func `a JPEG header with a TEM marker is refused, not followed for ever`() throws {
    let name = "474355d02148a2f326935542aef911449471607c"
    let file = try DICOMFile(path: Laboratory.root.appending(path: "Tests/Fuzzing/corpus/\(name)").path)
    let pixels = try file.pixelDescription()
    var bytes: [UInt8] = []
    let error = #expect(throws: DICOMError.self) { try file.decode(frame: 0, of: pixels, into: &bytes) }
    #expect(error?.detail.contains("frame 1 has no JPEG header") == true, "\(String(describing: error))")
  }
}
