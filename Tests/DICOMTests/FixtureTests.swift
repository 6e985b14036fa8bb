// Synthetic files written by pydicom, one for each branch of the reader; what comes out is said here or judged by
// pydicom. Needs .venv only.

import Foundation
import Imaging
import Testing

@testable import DICOM

@Suite(.enabled(if: Laboratory.hasPython, "no .venv/bin/python"))
struct `Synthetic files` {
  /// Written once for all tests of the process.
  static let folder: Result<URL, any Error> = Result {
    let folder = try Laboratory.scratch()
    _ = try Laboratory.run("fixtures.py", [folder.path])
    return folder
  }

  private func good(_ name: String) throws -> String {
    try Self.folder.get().appending(path: "good/\(name).dcm").path
  }

  private func reading(_ path: String) -> DICOMError.Reason? {
    do throws(DICOMError) {
      let instance = try InstanceReader.read(path: path)
      let file = try DICOMFile(path: path)
      var bytes: [UInt8] = []
      for frame in 0..<instance.pixels.frames {
        try file.decode(frame: frame, of: instance.pixels, into: &bytes)
      }
      return nil
    } catch { return error.reason }
  }

  @Test func `every transfer syntax and layout gives pydicom's stored values`() throws {
    let folder = try Self.folder.get().appending(path: "good")
    let scratch = try Laboratory.scratch()
    defer { try? FileManager.default.removeItem(at: scratch) }
    let comparison = Comparison(scratch: scratch)
    // pydicom does not look at High Bit; its test says what the values are.
    let paths = Laboratory.files(under: folder).filter {
      !$0.hasSuffix("report.dcm") && !$0.hasSuffix("shifted-bits.dcm")
    }
    let verdicts = try comparison.verdicts(of: paths)
    #expect(paths.count >= 63)
    #expect(verdicts.count == paths.count)
    for verdict in verdicts { #expect(verdict.word == "equal", "\(verdict)") }
  }

  @Test func `stored bits that are not the lowest are shifted down`() throws {
    let file = try DICOMFile(path: good("shifted-bits"))
    var bytes: [UInt8] = []
    try file.decode(frame: 0, of: file.pixelDescription(), into: &bytes)
    let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
    let expected: [UInt16] = (0..<1295).map { index in UInt16((3 * index) & 0xFFF) }
    #expect(values == expected)
  }

  @Test func `files to be refused are refused with the code of their folder`() throws {
    let folder = try Self.folder.get().appending(path: "bad")
    for path in Laboratory.files(under: folder) where !path.contains("/cut/") {
      let expected = URL(filePath: path).deletingLastPathComponent().lastPathComponent
      #expect(reading(path)?.rawValue == expected, "\(path)")
    }
  }

  @Test func `a file cut anywhere is never read`() throws {
    let folder = try Self.folder.get().appending(path: "bad/cut")
    let allowed: Set<DICOMError.Reason> = [
      .truncated, .damaged, .missingPixelData, .missingAttribute, .notDICOM,
    ]
    let paths = Laboratory.files(under: folder)
    #expect(paths.count == 140)
    for path in paths {
      let reason = reading(path)
      #expect(reason.map(allowed.contains) == true, "\(path): \(reason?.rawValue ?? "read")")
    }
  }

  @Test func `errors name the file and no patient`() throws {
    let path = try Self.folder.get().appending(path: "bad/missing_pixel_data/no-pixels.dcm").path
    do throws(DICOMError) {
      _ = try InstanceReader.read(path: path)
      Issue.record("it was read")
    } catch {
      #expect(error.subject == path)
      #expect(!error.description.contains("Phantom") && !error.description.contains("SYN-1"))
    }
  }

  @Test func `an enhanced MR is stacked by its frames' own positions and slopes`() throws {
    let path = try good("enhanced-mr")
    let instance = try InstanceReader.read(path: path)
    let volume = try SeriesReader.read(try SeriesReader.plan([instance])) { _ in path }
    #expect(volume.volume.grid.origins.map(\.z) == [22.5, 25, 27.5, 30])
    #expect(volume.volume.grid.plane.rowSpacing == 0.5 && volume.volume.grid.plane.columnSpacing == 0.25)
    #expect(volume.sources.map(\.frame) == [4, 3, 2, 1])
    // Frame 4 begins at stored value 37 · 3 · 35 · 37 modulo 2¹⁶ and has slope 2.
    #expect(volume.volume.voxels[0] == 2 * Float(37 * 3 * 35 * 37 % 65536) + 10)
    #expect(volume.volume.voxels[3 * 35 * 37 + 1] == 0.5 * 37 + 10)
  }

  @Test func `SPECT slices follow the sign of Spacing Between Slices and the Slice Vector`() throws {
    let path = try good("spect")
    let instance = try InstanceReader.read(path: path)
    #expect(instance.frames.compactMap(\.position?.z) == [86.5, 91, 95.5, 100])
    let volume = try SeriesReader.read(try SeriesReader.plan([instance])) { _ in path }
    #expect(volume.unit == "counts")
    #expect(volume.sources.map(\.frame) == [1, 2, 3, 4])
  }

  @Test func `padding within its range becomes NaN`() throws {
    let path = try good("padding")
    let instance = try InstanceReader.read(path: path)
    #expect(instance.pixels.paddingValue == -100 && instance.pixels.paddingRangeLimit == -60)
    var stored: [UInt8] = []
    try DICOMFile(path: path).decode(frame: 0, of: instance.pixels, into: &stored)
    var voxels = [Float](repeating: 0, count: 35 * 37)
    let mapping = ValueMapping(instance, frame: 0, factor: 1)
    voxels.withUnsafeMutableBufferPointer { mapping.write(stored, to: $0) }
    #expect(voxels.prefix(5).filter { $0.isNaN }.count == 5)
    #expect(voxels[5] == -50 - 1024)
  }

  @Test func `MONOCHROME1 turns round what has no unit, and only that`() throws {
    let paths = [try good("monochrome1-0"), try good("monochrome1-1")]
    func voxels(modality: String) throws -> SeriesVolume {
      var instances = try paths.map { try InstanceReader.read(path: $0) }
      for index in instances.indices { instances[index].modality = modality }
      let names = Dictionary(uniqueKeysWithValues: zip(instances.map(\.sopInstanceUID), paths))
      return try SeriesReader.read(try SeriesReader.plan(instances)) { names[$0] ?? "" }
    }
    let mr = try voxels(modality: "MR")
    #expect(mr.volume.voxels.prefix(3) == [1294, 1293, 1292])
    #expect(mr.notes.contains { $0.contains("MONOCHROME1") })
    #expect(try voxels(modality: "CT").volume.voxels.prefix(3) == [0, 1, 2])
  }

  @Test func `a file that changed since it was planned is not read`() throws {
    let paths = [try good("monochrome1-0"), try good("monochrome1-1")]
    let plan = try SeriesReader.plan(try paths.map { try InstanceReader.read(path: $0) })
    do throws(DICOMError) {
      _ = try SeriesReader.read(plan) { _ in paths[0] }
      Issue.record("it was read")
    } catch { #expect(error.reason == .changed) }
  }

  @Test func `names come out in UTF-8 whatever their character set`() throws {
    #expect(try InstanceReader.read(path: try good("latin-1")).patient.name == "Müller^Jörg")
    #expect(
      try InstanceReader.read(path: good("iso-2022")).patient.name == "Yamada^Tarou=山田^太郎=やまだ^たろう")
  }

  @Test func `a report is no image and no error`() throws {
    let report = try InstanceReader.read(path: good("report"))
    #expect(!report.isImage && report.frames.isEmpty)
    #expect(report.modality == "SR")
  }
}
