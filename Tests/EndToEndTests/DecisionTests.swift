// Every decision about a drop folder, case by case, through the program itself and against a table.

import Foundation
import Testing

@Suite struct DecisionTests {
  private static let fixtures = Site.root.appendingPathComponent("Tests/EndToEndTests/Fixtures")
  private static let python = Site.root.appendingPathComponent(".venv/bin/python").path

  private static var hasPython: Bool {
    if FileManager.default.isExecutableFile(atPath: python) { return true }
    print("skipped: no .venv; run make setup")
    return false
  }

  private static func run(_ script: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [fixtures.appendingPathComponent(script).path] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }

  /// Lines of a table as name and decisions.
  private static func table(_ text: String) -> [String: String] {
    let rows = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
      $0.split(separator: "\t", maxSplits: 1).map(String.init)
    }
    return Dictionary(rows.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { first, _ in first }
  }

  private static func expected(_ name: String) throws -> [String: String] {
    table(try String(contentsOf: fixtures.appendingPathComponent(name), encoding: .utf8))
  }

  private func compare(_ found: [String: String], _ expected: [String: String]) {
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, decisions) in found { #expect(decisions == expected[name], "\(name)") }
  }

  @Test func `what is planned for made-up scanner data is what the table says`() throws {
    guard Self.hasPython else { return }
    let site = try Site()
    let folder = site.folder + "/cases"
    _ = try Self.run("cases.py", [folder])
    let found = Self.table(try Self.run("decisions.py", [Site.program.path, folder]))
    #expect(found.count >= 60)
    compare(found, try Self.expected("expected.tsv"))
  }

  @Test func `what is planned for real series is what the table says`() throws {
    let folders = ["dicom", "dicom/ohif-viewer-testdata", "dicom/dcm_qa_nih"].map { Site.shared + "/" + $0 }
    guard Self.hasPython else { return }
    guard folders.allSatisfy(FileManager.default.fileExists(atPath:)) else {
      return print("skipped: \(Site.shared)/dicom is not there")
    }
    let found = Self.table(try Self.run("decisions.py", [Site.program.path] + folders))
    compare(found, try Self.expected("expected-real.tsv"))
  }

  @Test func `a run does what the plan said`() throws {
    guard Self.hasPython else { return }
    let made = try Site()
    _ = try Self.run("cases.py", [made.folder + "/cases"])
    for name in [
      "registered", "four_modalities", "corrected_pet", "a_stranger_with_the_same_id", "two_echoes",
    ] {
      let site = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
      let folder = made.folder + "/cases/" + name
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
        try site.drop(folder + "/" + file)
      }
      let plan = try site.run("plan", "--json").json()
      let run = try site.run("run", "--json").json()
      let planned =
        pairs(plan["pairs"]).map { $0 + " done" } + pairs(plan["rejected"]).map { $0 + " rejected" }
      let jobs = try #require(run["jobs"] as? [[String: Any]])
      let done = jobs.map { "\($0["fixed"] ?? "") \($0["moving"] ?? "") \($0["state"] ?? "")" }
      #expect(planned.sorted() == done.sorted(), "\(name)")
      #expect(left(plan["leftOut"]) == left(run["left_out"]), "\(name)")
      let outputs = (plan["pairs"] as? [[String: Any]] ?? []).compactMap { $0["outputs"] as? Int }.reduce(
        0, +)
      #expect(run["outputs"] as? Int == outputs, "\(name)")
    }
  }

  @Test func `a registration that comes late brings a turned CT back onto the same pixels`() throws {
    guard Self.hasPython else { return }
    let straight = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    let images = try ["MR_", "CT_HEAD_SOFT"].flatMap { try Site.sampleFiles("ct-mr", $0) }
    for (index, file) in images.enumerated() { try straight.drop(file, as: "\(index).dcm") }
    #expect(try straight.run("run").code == 0)
    let turned = try Site(
      "grid: {side: 32}\nintake: {quiet_time: 0 s}\nalignment: {registration: same-frame}\n")
    let object = turned.folder + "/registration.dcm"
    _ = try Self.run("registered.py", [Site.samples + "/ct-mr", turned.inbox, object])
    let refused = try turned.run("run")
    #expect(refused.code == 1)
    #expect(refused.output.contains("different_frame_of_reference"))
    try turned.drop(object)
    let waiting = try turned.run("explain", "2.25.777").output
    #expect(waiting.contains("not taken in yet: registration 2.25.777"), "\(waiting)")
    let fused = try turned.run("run")
    #expect(fused.code == 0, "\(fused.output)\(fused.errors)")
    #expect(try pixels(straight) == pixels(turned))
    let kinds = try turned.run("audit", "sql", "SELECT registration_json FROM jobs WHERE state = 'done'")
      .output
    #expect(kinds.contains("registration-object") && kinds.contains("2.25.777"))
    // The object is an input of every slice, and its own lineage leads to all of them.
    let slices = try turned.run(
      "audit", "sql", "SELECT registrations FROM v_slices WHERE json_extract(timings, '$.network') > 0",
      "--csv")
    #expect(slices.output.components(separatedBy: "2.25.777").count == 13, "\(slices.output)\(slices.errors)")
    let lineage = try turned.run("audit", "lineage", "2.25.777", "--json").json()
    let made = try #require(lineage["outputs"] as? [[String: Any]])
    #expect(made.count == 12 && made.allSatisfy { $0["role"] as? String == "registration" })
    #expect(try turned.run("audit", "verify").code == 0)
  }

  @Test func `one patient ID in two studies under two names is told by audit conflicts, naming nobody`()
    throws
  {
    let site = try Site()
    for file in try Site.sampleFiles("ct-mr", "MR_") { try site.drop(file) }
    let other = try Site.sampleFiles("pet-mr", "MR_AX")
    #expect(!other.isEmpty)
    let change =
      "d.PatientID = 'FUSELINE-PHANTOM-1'; d.PatientName = 'Somebody^Else'; d.PatientBirthDate = '19331224'"
    guard try site.dropEdited(other, change) else { return }
    _ = try site.run("run")
    let rows = try JSONSerialization.jsonObject(
      with: Data(site.run("audit", "conflicts", "--json").output.utf8))
    let conflict = try #require((rows as? [[String: Any]])?.first)
    #expect(conflict["kind"] as? String == "patient" && conflict["count"] as? Int == 2)
    let differing = try #require(conflict["differing"] as? [String])
    #expect(differing.contains("name") && differing.contains("birth date"))
    #expect((conflict["series"] as? [String])?.count == 2)
    let told = try site.run("audit", "conflicts").output
    for word in ["FUSELINE-PHANTOM-1", "Somebody", "Ada", "1933"] { #expect(!told.contains(word), "\(told)") }
    #expect(try site.run("audit", "conflicts", "--show-patient-ids").output.contains("FUSELINE-PHANTOM-1"))
  }

  /// The ends of all outputs, where their pixels are: 32 × 32 bytes each.
  private func pixels(_ site: Site) throws -> Set<Data> {
    let outputs = site.files("output")
    #expect(outputs.count == 12)
    return Set(
      try outputs.map {
        try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + $0)).suffix(1024)
      })
  }

  private func pairs(_ value: Any?) -> [String] {
    (value as? [[String: Any]] ?? []).map { pair in
      let uids = ["fixed", "moving"].map { side in
        (pair[side] as? [String: Any])?["series"] as? String ?? pair[side] as? String ?? ""
      }
      return uids.joined(separator: " ")
    }
  }

  private func left(_ value: Any?) -> Set<String> {
    Set(
      (value as? [[String: Any]] ?? []).map {
        "\($0["series"] ?? "") \(($0["reason"] as? [String: Any])?["code"] ?? "")"
      })
  }
}
