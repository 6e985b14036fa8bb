// A whole synthetic study, from drop folder to published files, and how its time divides among the steps.

import BSAFusion
import DICOM
import Foundation
import Imaging
import Logging
import Provenance

/// Measures `run` on a CT and an MR series made for it in a temporary folder.
public struct StudyBench {
  public struct Stage: Codable, Hashable, Sendable {
    public let name: String
    /// Processor seconds for the whole study.
    public let cpu: Double
  }

  public struct Result: Codable, Hashable, Sendable {
    public let slices: Int
    public let undeformed: Int
    public let workers: Int
    /// The whole pass: taking in, pairing, fusing, publishing, ledger.
    public let run: Elapsed
    /// Steps measured one by one on the same files; `network` from some of the slices.
    public let stages: [Stage]
    /// Share of the pass's processor time that is not the network's, 0…1.
    public let around: Double
  }

  let bench: Bench

  func run() async throws -> Result {
    try await bench.inTemporaryFolder { folder in
      let settings = try prepare(folder)
      let stages = try stages(settings)
      let start = Elapsed.now()
      let report = try await RunPass(
        RunContext(
          settings: settings, software: bench.software, logger: .silent, progress: { _ in })
      ).run()
      let spent = start.untilNow
      let slices = report.summary.slices
      let network = stages.pass * Double(slices.fused)
      let writing = try bench.writing().median.cpu * Double(slices.fused)
      let known = network + writing + stages.list.reduce(0) { $0 + $1.cpu }
      return Result(
        slices: slices.fused, undeformed: slices.undeformed, workers: settings.processing.effectiveWorkers,
        run: spent,
        stages: [Stage(name: "network", cpu: network)] + stages.list + [
          Stage(name: "encoding, writing and flushing", cpu: writing),
          Stage(name: "judging, pictures, ledger and the rest", cpu: max(0, spent.cpu - known)),
        ],
        around: max(0, 1 - network / spent.cpu))
    }
  }

  /// Inbox with a CT of 512² and an MR of 256², and settings for this folder alone.
  private func prepare(_ folder: String) throws -> Settings {
    var settings = bench.settings
    settings.folders = Settings.Folders(
      inbox: folder + "/inbox", store: folder + "/store", output: folder + "/output",
      quarantine: folder + "/quarantine")
    settings.ledger = folder + "/ledger.sqlite"
    settings.intake.quietTime = 0
    for (kind, side) in [(SyntheticSlice.Kind.mr, 256), (.ct, 512)] {
      let series = folder + "/inbox/" + kind.rawValue
      try FileSystem.createFolder(series)
      try SyntheticHead(side: side).write(kind, slices: bench.slices, study: folder, into: series)
    }
    return settings
  }

  private struct Stages {
    var list: [Stage]
    /// Processor seconds of the network for a slice.
    var pass: Double
  }

  private func stages(_ settings: Settings) throws -> Stages {
    let inbox = settings.folders.inbox
    let (pair, examined) = try Elapsed.measure {
      try AdHocPair(settings: settings).pair(fixed: inbox + "/MR", moving: inbox + "/CT")
    }
    let (volumes, prepared) = try Elapsed.measure { try PairVolumes(pair, settings: settings) }
    let (planes, sampled) = try Elapsed.measure {
      try (0..<volumes.slices).map { try volumes.planes(slice: $0) }
    }
    let pass = try pass(planes, settings)
    return Stages(
      list: [
        Stage(name: "hashing and headers", cpu: examined.cpu),
        Stage(name: "decoding and preparing", cpu: prepared.cpu),
        Stage(name: "resampling and normalising", cpu: sampled.cpu),
      ], pass: pass)
  }

  private func pass(_ planes: [SlicePlanes], _ settings: Settings) throws -> Double {
    let engine = try FusionEngine(model: bench.loadModel(), side: settings.grid.side)
    let some = stride(from: 0, to: planes.count, by: max(1, planes.count / 6)).map { planes[$0] }
    _ = try engine.fuse(fixed: some[0].fixed, moving: some[0].moving)
    let each = try some.map { slice in
      try Elapsed.measure { _ = try engine.fuse(fixed: slice.fixed, moving: slice.moving) }.1.cpu
    }.sorted()
    return each[each.count / 2]
  }
}

extension Logger {
  /// Nobody reads the log of a measurement.
  fileprivate static var silent: Logger { Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() } }
}
