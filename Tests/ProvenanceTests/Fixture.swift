// A ledger in a folder of its own, with a clock the test moves, and the records of an invented patient.

import Foundation
import GRDB
import Synchronization

@testable import Provenance

/// A clock that stands still until it is moved.
final class Clock: Sendable {
  private let date = Mutex(Date(timeIntervalSince1970: 1_772_330_400))  // 2026-03-01T02:00:00Z

  var now: Date { date.withLock { $0 } }
  func advance(_ seconds: Double) { date.withLock { $0.addTimeInterval(seconds) } }
}

final class Fixture {
  let folder: String
  let path: String
  let clock = Clock()
  let ledger: Ledger

  init() throws {
    let clock = clock
    folder = NSTemporaryDirectory() + "ledger-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    path = folder + "/fuseline.sqlite"
    ledger = try Ledger.open(path: path, clock: { clock.now })
  }

  deinit {
    try? ledger.close()
    chmod(folder, 0o700)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Runs Python with these arguments in a folder and returns its exit status; nil where there is no Python.
  static func python(_ arguments: [String], in folder: String) throws -> Int32? {
    let candidates = [
      DocumentationTests.root.appendingPathComponent(".venv/bin/python").path, "/usr/bin/python3",
    ]
    guard let python = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      return nil
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The same file through another connection, as another process would open it.
  func again() throws -> Ledger {
    let clock = clock
    return try Ledger.open(path: path, clock: { clock.now })
  }

  /// SQL behind the ledger's back, as somebody with an SQLite shell would type it.
  func tamper(_ statements: String...) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.writeWithoutTransaction { db in
      for sql in statements { try db.execute(sql: sql) }
    }
    try queue.close()
  }

  func value<Value: DatabaseValueConvertible>(_ sql: String) throws -> Value? {
    try ledger.read { try Value.fetchOne($0, sql: sql) }
  }

  static let invented = PatientRecord(
    patientID: "INV-1", issuer: "TEST", name: "Invented^Person", birthDate: "19500101", sex: "O")

  static func digest(_ text: String) -> String { NewJob.key([text]) }

  static func instance(
    _ sop: String, series: String = "1.2.2", modality: String = "MR", study: String = "1.2.1",
    patient: PatientRecord = invented, sha256: String? = nil
  ) -> AcceptedInstance {
    AcceptedInstance(
      sopInstanceUID: sop, sopClassUID: "1.2.840.10008.5.1.4.1.1.4", transferSyntaxUID: "1.2.840.10008.1.2.1",
      number: 1, patient: patient,
      study: StudyRecord(uid: study, date: "20260228", time: "231500", description: "Head"),
      series: SeriesRecord(
        uid: series, modality: modality, number: 2, description: "invented", frameOfReferenceUID: "1.2.9"),
      path: "\(study)/\(series)/\(sop).dcm", originalPath: "PERSON_INVENTED/\(sop)",
      sha256: sha256 ?? digest(sop), size: 1234, header: JSONDocument(text: #"{"rows":4}"#))
  }

  static func refused(_ reason: String, path: String = "inbox/x", sop: String? = nil) -> RefusedFile {
    RefusedFile(
      reason: reason, sentence: "the file ends early, send it again", originalPath: path,
      sha256: digest(path), size: 12, sopInstanceUID: sop, modality: "MR",
      quarantinePath: "quarantine/\(reason)/x")
  }

  static func slice(_ index: Int, accepted: Bool = true) -> SlicePublication {
    SlicePublication(
      index: index, position: SIMD3(1.5, -2.25, Double(index) * 3),
      inputs: [
        .init(role: .fixed, sopInstanceUID: "1.2.2.\(index)"),
        .init(role: .moving, sopInstanceUID: "1.2.3.\(index)"),
        .init(role: .moving, sopInstanceUID: "1.2.3.\((index + 1) % 3)", frame: 2),
      ], accepted: accepted, reason: accepted ? nil : "folds",
      deformation: .init(
        meanMillimetres: 0.5, maxMillimetres: 2.25, meanPixels: 0.4, maxPixels: 2, folding: 0),
      similarity: .init(measure: "mutual-information", before: 0.5, after: 0.625), inside: 0.9, seconds: 0.7,
      timings: JSONDocument(text: #"{"resample":0.1}"#),
      output: .init(
        sopInstanceUID: "2.25.\(index)", path: "1.2.1/2.25.9/2.25.\(index).dcm",
        sha256: digest("out \(index)"),
        size: 1000 + Int64(index)))
  }

  /// A study of three MR and three CT images, a run, and a job that is pending.
  func planned(inputs: String = "inputs") throws -> (run: Int64, job: Job) {
    let software = try ledger.register(
      software: SoftwareRecord(version: "0.1.0", blas: "SkylakeX", host: "node1", kernels: "avx512"))
    let settings = try ledger.register(settings: "grid: 256\n", sha256: Self.digest("settings"))
    let model = try ledger.register(
      model: ModelRecord(
        name: "ct-mr", sha256: Self.digest("model"), path: "Models/ct-mr", parameters: 1_000_000))
    let run = try ledger.beginRun(command: "run", settings: settings, software: software)
    for index in 0..<3 {
      _ = try ledger.recordAccepted(Self.instance("1.2.2.\(index)"), run: run)
      _ = try ledger.recordAccepted(
        Self.instance("1.2.3.\(index)", series: "1.2.3", modality: "CT"), run: run)
    }
    let job = try ledger.openJob(
      NewJob(
        kind: "CT-MR", fixedSeriesUID: "1.2.2", movingSeriesUID: "1.2.3", inputsSHA256: Self.digest(inputs),
        model: model, settings: settings, software: software, outputSeriesUID: "2.25.9", plannedSlices: 3),
      run: run)
    return (run, job)
  }

  /// The same, fused and finished.
  func finished() throws -> (run: Int64, job: Int64) {
    let (run, job) = try planned()
    let attempt = try ledger.startAttempt(job: job.id, run: run, worker: "node1:17")
    try ledger.recordPreparation(
      JobPreparation(
        normalizationFixed: JSONDocument(text: #"{"method":"percentiles","lower":1.5,"upper":900}"#),
        normalizationMoving: JSONDocument(text: #"{"method":"window","unit":"HU","suv_factor":null}"#),
        registration: JSONDocument(text: #"{"kind":"same-frame","matrix":null}"#), interpolation: "trilinear",
        details: JSONDocument(text: #"{"side":256}"#)), job: job.id)
    for index in 0..<3 {
      clock.advance(0.5)
      let publication = Self.slice(index, accepted: index != 1)
      let intent = try ledger.recordPublishIntent(
        job: job.id, index: index, sopInstanceUID: publication.output.sopInstanceUID, part: "x.part",
        final: publication.output.path)
      try ledger.markWritten(publication, intent: intent)
      try ledger.commitPublished(publication, job: job.id, attempt: attempt, intent: intent)
    }
    try ledger.finishJob(job.id)
    try ledger.finishRun(run, outcome: .done)
    return (run, job.id)
  }
}
