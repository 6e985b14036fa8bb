// Writing captures: the same bytes every time, all or nothing, and a check that notices what is wrong.

import Foundation
import Imaging
import Testing

@testable import DICOM

@Suite(.enabled(if: Laboratory.hasPython, "needs .venv/bin/python; `make setup` makes it"))
struct CaptureFileTests {
  private let bench: CaptureBench
  private let capture: SecondaryCapture
  private let path: String

  init() throws {
    bench = try CaptureBench.shared.get()
    let one = try #require(bench.cases.first { $0.name == "kanji" })
    capture = one.captures[0]
    path = bench.folder.appending(path: "\(UUID().uuidString).part").path
  }

  @Test func `the same capture gives the same bytes, wherever its sources lie`() throws {
    for one in bench.cases {
      for (capture, path) in zip(one.captures, one.paths) {
        #expect(try Data(capture.encoded()) == Data(contentsOf: URL(filePath: path)))
      }
    }
    var moved = capture
    moved.fixed.path = path
    try FileManager.default.copyItem(atPath: capture.fixed.path, toPath: path)
    #expect(try moved.encoded() == capture.encoded())
  }

  @Test func `what is written passes the check and is not for everybody`() throws {
    for one in bench.cases {
      for (capture, path) in zip(one.captures, one.paths) {
        try SecondaryCaptureCheck.verify(path: path, against: capture)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0o777) & 0o137 == 0)
      }
    }
  }

  @Test func `the check notices another pixel, place, size or identifier`() throws {
    try capture.write(to: path)
    var other = capture
    other.pixels = .grey8([UInt8](repeating: 1, count: CaptureBench.pixelCount))
    expectRefusal(other, "Pixel Data")
    other = capture
    other.place.grid.origin.x += 1e-4
    expectRefusal(other, "Image Position")
    other = capture
    other.place.grid.rowSpacing *= 1.0001
    expectRefusal(other, "Pixel Spacing")
    other = capture
    other.place.grid.rowDirection = -other.place.grid.rowDirection
    expectRefusal(other, "Image Orientation")
    other = capture
    other.identity.sopInstanceUID += "1"
    expectRefusal(other, "Media Storage SOP Instance UID")
    other = capture
    other.fixed.studyInstanceUID += "1"
    expectRefusal(other, "Study Instance UID")
  }

  @Test func `the check notices every flipped byte of the pixels and a file cut anywhere`() throws {
    let bytes = try capture.encoded()
    for length in stride(from: 0, to: bytes.count, by: 97) {
      try Data(bytes[..<length]).write(to: URL(filePath: path))
      #expect(throws: DICOMError.self) { try SecondaryCaptureCheck.verify(path: path, against: capture) }
    }
    for position in stride(from: bytes.count - CaptureBench.pixelCount, to: bytes.count, by: 13) {
      var flipped = bytes
      flipped[position] ^= 0x10
      try Data(flipped).write(to: URL(filePath: path))
      expectRefusal(capture, "Pixel Data")
    }
  }

  @Test func `a file that is there is never overwritten`() throws {
    try Data("keep".utf8).write(to: URL(filePath: path))
    let error = #expect(throws: DICOMError.self) { try capture.write(to: path) }
    #expect(error?.reason == .cannotWrite)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "keep")
  }

  @Test func `a missing folder is said so`() throws {
    let error = #expect(throws: DICOMError.self) { try capture.write(to: path + "/deeper.part") }
    #expect(error?.reason == .cannotWrite)
  }

  @Test func `a full disk is told from a place that cannot be written`() {
    #expect(DICOMError(writing: "a", errno: ENOSPC).reason == .noSpace)
    #expect(DICOMError(writing: "a", errno: EDQUOT).reason == .noSpace)
    #expect(DICOMError(writing: "a", errno: EACCES).reason == .cannotWrite)
    let file = open("/dev/full", O_WRONLY)
    #expect(SecondaryCapture.write([1, 2, 3], to: file) == ENOSPC)
    close(file)
  }

  @Test func `a source that is another instance by now stops the writing`() throws {
    var other = capture
    other.fixed.path = try #require(bench.cases.first { $0.name == "latin" }).sources[0]
    let error = #expect(throws: DICOMError.self) { try other.write(to: path) }
    #expect(error?.reason == .sourceChanged)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func `a source that has gone stops the writing`() throws {
    var other = capture
    other.fixed.path += ".gone"
    let error = #expect(throws: DICOMError.self) { try other.write(to: path) }
    #expect(error?.reason == .unreadable)
  }

  @Test func `a UID that is none, or a number that is none, never gets into an object`() throws {
    var other = capture
    other.identity.seriesInstanceUID = "../../etc"
    #expect(throws: DICOMError.self) { try other.encoded() }
    other = capture
    other.place.grid.origin.z = .nan
    let error = #expect(throws: DICOMError.self) { try other.encoded() }
    #expect(error?.reason == .invalidAttribute)
  }

  @Test func `no error names the patient`() throws {
    var other = capture
    other.place.grid.origin.z = .infinity
    let error = #expect(throws: DICOMError.self) { try other.encoded() }
    #expect(error?.description.contains("Yamada") == false)
    #expect(error?.description.contains("4711") == false)
  }

  private func expectRefusal(_ other: SecondaryCapture, _ name: String) {
    let error = #expect(throws: DICOMError.self) {
      try SecondaryCaptureCheck.verify(path: path, against: other)
    }
    #expect(
      error?.reason == .verificationFailed && error?.detail.hasPrefix(name) == true,
      "\(name) \(String(describing: error))")
  }
}
