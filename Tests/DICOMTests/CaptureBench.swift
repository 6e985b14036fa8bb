// Sources made by pydicom, captures made of them, and what the judges say of these. Holds no expectations.

import Foundation
import Imaging

@testable import DICOM

/// A value as `capture_judge.py` prints it.
enum JudgedValue: Decodable, Sendable, Equatable {
  case text(String)
  case list([JudgedValue])
  case item([String: JudgedValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let list = try? container.decode([JudgedValue].self) {
      self = .list(list)
    } else {
      self = .item(try container.decode([String: JudgedValue].self))
    }
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var list: [JudgedValue] { if case .list(let list) = self { list } else { [] } }
  subscript(keyword: String) -> JudgedValue? { if case .item(let set) = self { set[keyword] } else { nil } }
}

/// What the judges read in one file; all but `pydicom` only of captures.
struct Verdict: Decodable, Sendable {
  struct Geometry: Decodable, Sendable {
    let origin: [Double]
    let spacing: [Double]
    let direction: [Double]
    let size: [Int]
    let sha256: String
  }
  /// Text attributes of the data set, as stored, in hex.
  let stored: [String: String]
  let pydicom: [String: JudgedValue]
  let meta: [String: JudgedValue]
  let SimpleITK: Geometry?
  let dciodvfy: [String]?
  let dcmdump: [String]?
}

/// The pairs of `capture_sources.py`, one capture of each per kind of pixels, and the judges' reading of all files.
struct CaptureBench: Sendable {
  /// Made once: the judges take seconds.
  static let shared = Result { try CaptureBench() }

  /// One pair of sources and the captures made from them.
  struct Case: Sendable {
    let name: String
    let captures: [SecondaryCapture]
    let paths: [String]
    let sources: [String]
  }

  let folder: URL
  let cases: [Case]
  /// By path.
  let verdicts: [String: Verdict]

  private struct Pair: Decodable {
    struct Part: Decodable {
      let path: String
      let frame: Int?

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        path = try list.decode(String.self)
        frame = try list.decodeIfPresent(Int.self)
      }
    }
    let fixed: Part
    let moving: [Part]
  }

  init() throws {
    folder = try Laboratory.scratch()
    let made = try Laboratory.run("capture_sources.py", [folder.path])
    let pairs = try JSONDecoder().decode([String: Pair].self, from: Data(made.utf8))
    let target = folder
    cases = try pairs.sorted { $0.key < $1.key }.map { try Self.captures($0, of: $1, in: target) }
    let paths = cases.flatMap(\.paths) + Set(cases.map { $0.sources[0] })
    let read = try Laboratory.run("capture_judge.py", paths)
    verdicts = try JSONDecoder().decode([String: Verdict].self, from: Data(read.utf8))
  }

  private static func captures(_ name: String, of pair: Pair, in folder: URL) throws -> Case {
    let kinds: [(String, SecondaryCapture.Pixels)] = [
      ("grey8", .grey8(samples(pixelCount))), ("grey16", .grey16(samples(pixelCount))),
      ("rgb8", .rgb8(samples(pixelCount * 3))),
    ]
    let captures = try kinds.map { try capture(name, $0.0, $0.1, of: pair) }
    let paths = kinds.map { folder.appending(path: "\(name)-fused-\($0.0).dcm").path }
    for (capture, path) in zip(captures, paths) { try capture.write(to: path) }
    return Case(
      name: name, captures: captures, paths: paths, sources: [pair.fixed.path] + Set(pair.moving.map(\.path)))
  }

  private static func samples<Sample: FixedWidthInteger>(_ count: Int) -> [Sample] {
    (0..<count).map { Sample(truncatingIfNeeded: $0 &* 7919) }
  }

  private static func capture(
    _ name: String, _ kind: String, _ pixels: SecondaryCapture.Pixels, of pair: Pair
  ) throws -> SecondaryCapture {
    let fixed = try InstanceReader.read(path: pair.fixed.path)
    let moving = try pair.moving.map { try InstanceReader.read(path: $0.path) }
    let frame = fixed.frames[(pair.fixed.frame ?? 1) - 1]
    return SecondaryCapture(
      identity: .init(
        sopInstanceUID: UID.derived(from: [name, kind]),
        seriesInstanceUID: UID.derived(from: [name, kind, "s"]),
        seriesNumber: 9001, seriesDescription: "Fused \(name) BSAFusion - NOT FOR PRIMARY DIAGNOSIS",
        instanceNumber: 1, modality: fixed.modality),
      place: .init(
        grid: grid(of: frame), sliceThickness: frame.sliceThickness,
        frameOfReferenceUID: fixed.frameOfReferenceUID ?? "", patientPosition: fixed.patientPosition,
        bodyPart: fixed.bodyPartExamined),
      pixels: pixels, dates: .latest(series: [fixed] + moving, content: [fixed] + moving),
      fixed: .init(
        fixed, frames: pair.fixed.frame.map { [$0] }, spatialLocationsPreserved: true, path: pair.fixed.path),
      moving: zip(moving, pair.moving).map {
        .init($0, frames: $1.frame.map { [$0] }, spatialLocationsPreserved: false, path: $1.path)
      },
      derivation: .init(
        aligned: kind != "grey16", facts: ["Fuseline 1.2.3", "model ct-mr 0123abcd", "naïve"]),
      product: .init(version: "1.2.3"))
  }

  /// Pixels of every capture here: 14 columns, 12 rows.
  static let pixelCount = 14 * 12

  /// A grid of oblong pixels on the plane of a frame, off its corner: nothing may rely on square ones.
  private static func grid(of frame: FrameGeometry) -> PlaneGrid {
    let o = frame.orientation ?? [1, 0, 0, 0, 1, 0]
    return PlaneGrid(
      columns: 14, rows: 12, origin: (frame.position ?? .zero) + SIMD3(1.0 / 3, -2.0 / 7, 0),
      rowDirection: SIMD3(o[0], o[1], o[2]), columnDirection: SIMD3(o[3], o[4], o[5]),
      columnSpacing: 1.0714285714285714, rowSpacing: 0.9375)
  }
}
