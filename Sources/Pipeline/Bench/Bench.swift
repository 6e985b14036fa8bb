// Measures this machine: engine, resampling, decoding, writing, a whole study. It judges nothing.

import BSAFusion
import DICOM
import Foundation
import Imaging

/// The parts of `fuseline bench`.
public struct Bench: Sendable {
  public enum Part: String, CaseIterable, Sendable {
    /// One engine on one core.
    case engine
    /// As many engines as workers, side by side.
    case engines
    /// 512×512×120 onto 256×256×120, linear.
    case resampling
    /// The same with cubic B-splines.
    case spline
    /// Headers and pixels of synthetic (or given) files.
    case decoding
    /// A derived image encoded, written, flushed.
    case writing
    /// A synthetic study from drop folder to published files.
    case study
  }

  let settings: Settings
  let model: String
  /// Length of a window and number of windows of each part.
  let seconds: Double
  let windows: Int
  /// Slices of the synthetic study.
  let slices: Int
  /// Files to decode instead of synthetic ones.
  let files: String?
  let software: Software

  public init(
    settings: Settings, model: String, seconds: Double, windows: Int, slices: Int, files: String?,
    software: Software
  ) {
    self.settings = settings
    self.model = model
    self.seconds = seconds
    self.windows = windows
    self.slices = slices
    self.files = files
    self.software = software
  }

  /// - Throws: `ModelError`, `WeightsError`, `FileError` and `DICOMError` of the parts.
  public func run(_ parts: [Part]) async throws -> BenchReport {
    let machine = BenchMachine.this
    var measured: [BenchPart] = []
    var study: StudyBench.Result?
    for part in parts {
      if part == .study {
        study = try await StudyBench(bench: self).run()
      } else {
        measured.append(try await measure(part))
      }
    }
    return BenchReport(machine: machine, parts: measured, study: study, peakBytes: BenchReport.peakBytes)
  }

  private func measure(_ part: Part) async throws -> BenchPart {
    switch part {
    case .engine: try engine()
    case .engines: try await engines()
    case .resampling: resampling(.trilinear, part)
    case .spline: resampling(.cubicBSpline, part)
    case .decoding: try decoding()
    case .writing: try writing()
    case .study: preconditionFailure("a study has a report of its own")
    }
  }

  /// Runs windows of whole pieces; the first piece is not counted.
  func windows(_ piece: () throws -> Void) rethrows -> [Elapsed] {
    try piece()
    return try (0..<windows).map { _ in
      let start = Elapsed.now()
      var count = 0.0
      repeat {
        try piece()
        count += 1
      } while start.untilNow.wall < seconds
      let spent = start.untilNow
      return Elapsed(wall: spent.wall / count, cpu: spent.cpu / count)
    }
  }

  func loadModel() throws -> FusionModel {
    try ModelLibrary.network(model, folder: settings.models)
  }

  /// A folder that is removed at the end.
  func inTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = try Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
  }

  func inTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = try Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  private static func temporaryFolder() throws -> String {
    let folder = NSTemporaryDirectory() + "/fuseline-bench-\(ProcessInfo.processInfo.globallyUniqueString)"
    try FileSystem.createFolder(folder)
    return folder
  }
}
