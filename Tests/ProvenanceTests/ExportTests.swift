// The audit's answers as other systems read them.

import Foundation
import Testing

@testable import Provenance

@Suite struct ExportTests {
  private func exported(_ format: ExportFormat, _ filter: AuditFilter = .init()) throws -> String {
    let fixture = try Fixture()
    _ = try fixture.finished()
    try fixture.ledger.recordRejected(Fixture.refused("truncated"), run: nil)
    var text = ""
    try fixture.ledger.export(format, filter) { text += $0 }
    return text
  }

  @Test func `CSV has a line per output with its inputs`() throws {
    let lines = try exported(.csv).split(separator: "\r\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("sop,path,sha256,size,") && lines[0].hasSuffix(",blas,host,inputs"))
    #expect(
      lines[3].hasPrefix("2.25.0,") && lines[3].hasSuffix("fixed:1.2.2.0 moving:1.2.3.0 moving:1.2.3.1#2"))
    #expect(try exported(.csv, .init(redact: true)).contains("INV-1") == false)
  }

  @Test func `JSON is one document of jobs, inputs, outputs and events`() throws {
    let document = try JSONDocument(text: exported(.json)).decode([String: JSONValue].self)
    guard case .array(let jobs) = document["jobs"], case .array(let inputs) = document["inputs"],
      case .array(let outputs) = document["outputs"], case .array(let events) = document["events"]
    else {
      Issue.record("a part is missing: \(document.keys)")
      return
    }
    let counts: [Int] = [jobs.count, inputs.count, outputs.count, events.count]
    #expect(counts == [1, 7, 3, 24] as [Int])
    let narrowed = try JSONDocument(text: exported(.json, .init(model: "ct-mr"))).decode(
      [String: JSONValue].self)
    guard case .array(let some) = narrowed["events"] else { return }
    #expect(some.count == 7)
  }

  @Test func `the FHIR bundle has a Provenance per output and an AuditEvent per event, and no patient`()
    throws
  {
    let text = try exported(.fhir)
    let bundle = try JSONDocument(text: text).decode([String: JSONValue].self)
    guard case .array(let entries) = bundle["entry"] else {
      Issue.record("the bundle has no entries")
      return
    }
    #expect(bundle["resourceType"] == .string("Bundle"))
    #expect(entries.count == 27)
    #expect(Set(entries).count == 27)
    #expect(text.contains(#"{"system":"urn:dicom:uid","value":"urn:oid:2.25.1"}"#))
    #expect(text.contains("moving image, frame 2, SHA-256"))
    #expect(!text.contains("INV-1") && !text.contains("nvented"))
    #expect(try exported(.fhir, .init(state: "failed")).contains(#""entry":[]"#))
  }

  @Test func `DICOM audit messages are one a line and name study, image and patient, unless asked not to`()
    throws
  {
    let lines = try exported(.dicom).split(separator: "\n")
    #expect(lines.count == 24)
    let made = try #require(lines.first { $0.contains("originalText=\"slice.published\"") })
    for part in [
      "csd-code=\"110103\"", "EventActionCode=\"C\"", "EventOutcomeIndicator=\"0\"",
      "ParticipantObjectID=\"1.2.1\"",
      "<Instance UID=\"2.25.0\"/>", "ParticipantObjectID=\"INV-1\"",
    ] { #expect(made.contains(part), "\(part)") }
    #expect(
      lines.contains { $0.contains("csd-code=\"110107\"") && $0.contains("<Instance UID=\"1.2.2.0\"/>") })
    #expect(lines.contains { $0.contains("csd-code=\"110121\"") })
    #expect(try !exported(.dicom, .init(redact: true)).contains("INV-1"))
  }

  @Test func `DICOM audit messages are valid by an independent reading of PS3 15`() throws {
    let root = DocumentationTests.root
    let candidates = [root.appendingPathComponent(".venv/bin/python").path, "/usr/bin/python3"]
    guard let python = candidates.first(where: FileManager.default.isExecutableFile) else {
      print("skipped: no Python")
      return
    }
    let input = NSTemporaryDirectory() + "messages-\(UUID().uuidString).xml"
    defer { try? FileManager.default.removeItem(atPath: input) }
    try exported(.dicom).write(toFile: input, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [root.appendingPathComponent("Tests/ProvenanceTests/Judge/audit_message.py").path]
    process.standardInput = FileHandle(forReadingAtPath: input)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && said == "24\n", "\(said)")
  }

  @Test func `the FHIR bundle is valid R4 by an independent reading of the standard`() throws {
    let python = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../.venv/bin/python").standardized.path
    let check = """
      import sys
      try:
          from fhir.resources.R4B.bundle import Bundle
      except ImportError:
          sys.exit(77)
      bundle = Bundle.model_validate_json(open(sys.argv[1]).read())
      print(len(bundle.entry), sorted({e.resource.__resource_type__ for e in bundle.entry}))
      """
    guard FileManager.default.isExecutableFile(atPath: python) else {
      print("skipped: no Python at .venv/bin/python, run make setup")
      return
    }
    let file = NSTemporaryDirectory() + "bundle-\(UUID().uuidString).json"
    try exported(.fhir).write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", check, file]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let answer = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    if process.terminationStatus == 77 {
      print("skipped: the Python package fhir.resources is not installed, run make setup")
      return
    }
    #expect(process.terminationStatus == 0)
    #expect(String(decoding: answer, as: UTF8.self) == "27 ['AuditEvent', 'Provenance']\n")
  }

  @Test func `the difference of two jobs names each setting that changed`() throws {
    let fixture = try Fixture()
    let (_, first) = try fixture.finished()
    let jobs = try [0.5, 0.25].map { folding in
      let text = #"{"alignment":{"maximumFolding":\#(folding),"throughPlane":3}}"#
      let settings = try fixture.ledger.register(settings: text, sha256: Fixture.digest(text))
      return try fixture.ledger.openJob(
        NewJob(
          kind: "CT-MR", fixedSeriesUID: "1.2.2", movingSeriesUID: "1.2.3", inputsSHA256: "x", model: nil,
          settings: settings, software: 1, outputSeriesUID: "2.25.\(folding)", plannedSlices: 3), run: nil
      ).id
    }
    #expect(jobs[0] > first)
    let rows = try fixture.ledger.difference(jobs[0], jobs[1]).rows
    #expect(rows.contains([.string("settings alignment maximumFolding"), .number(0.5), .number(0.25)]))
    #expect(!rows.contains { Listing.plain($0[0]).contains("throughPlane") })
  }

  @Test func `the difference of two jobs names what changed`() throws {
    let fixture = try Fixture()
    let (_, old) = try fixture.finished()
    let (_, new) = try fixture.planned(inputs: "one slice more")
    let difference = try fixture.ledger.difference(old, new.id)
    let names = difference.rows.map { Listing.plain($0[0]) }
    #expect(difference.columns == ["what", "job 1", "job 2"])
    #expect(names.contains("state") && names.contains("normalization moving unit"))
    #expect(names.contains("slice 0 sha256") && !names.contains("kind"))
    #expect(try fixture.ledger.difference(old, old).rows.isEmpty)
  }

  @Test(arguments: [
    ("now", "2026-03-01T02:00:00.000Z"), ("today", "2026-02-28T23:00:00.000Z"),
    ("yesterday", "2026-02-27T23:00:00.000Z"), ("90m", "2026-03-01T00:30:00.000Z"),
    ("7d", "2026-02-22T02:00:00.000Z"), ("2026-02-01", "2026-01-31T23:00:00.000Z"),
    ("2026-02-01T12:30", "2026-02-01T11:30:00.000Z"), ("2026-02-01T12:30:00Z", "2026-02-01T12:30:00.000Z"),
    ("2026-02-01T12:30:00-05:00", "2026-02-01T17:30:00.000Z"), ("2026-07-01", "2026-06-30T22:00:00.000Z"),
  ]) func `a moment as typed is understood in the given time zone`(text: String, expected: String) throws {
    let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
    let date = AskedTime.date(text, now: Date(timeIntervalSince1970: 1_772_330_400), timeZone: zone)
    #expect(date.map(Timestamp.text) == expected)
  }

  @Test(arguments: ["", "soon", "2026-13-01", "2026-02-30", "-1d", "d"])
  func `what is no moment is not guessed at`(text: String) throws {
    #expect(AskedTime.date(text, now: Date(), timeZone: .gmt) == nil)
  }
}
