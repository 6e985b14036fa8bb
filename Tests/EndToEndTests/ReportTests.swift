// Reports as people get them: written by the program, looked at in a real browser, without a patient where asked.

import Foundation
import Testing

@Suite struct ReportTests {
  private static let browsers = ["chromium", "chromium-browser", "google-chrome"].flatMap {
    ["/usr/bin/\($0)", "/usr/local/bin/\($0)"]
  }

  /// Runs the judge on a page; nil where there is no browser or no Python.
  private func judge(_ page: String, _ arguments: String...) throws -> Result? {
    let files = FileManager.default
    let asked = ProcessInfo.processInfo.environment["FUSELINE_BROWSER"].map { [$0] } ?? []
    guard let browser = (asked + Self.browsers).first(where: files.isExecutableFile),
      let python = [Site.root.appendingPathComponent(".venv/bin/python").path, "/usr/bin/python3"].first(
        where: files.isExecutableFile)
    else {
      print("skipped: no Chromium or no Python; apt-get install chromium python3")
      return nil
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments =
      [Site.root.appendingPathComponent("Tests/EndToEndTests/Judge/browser.py").path, browser, page]
      + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Result(code: process.terminationStatus, output: said, errors: "")
  }

  @Test func `pages of a job and of a run work in a real browser, also with a thousand slices`() throws {
    let site = try Site()
    try site.drop(Site.samples + "/pet-mr")
    #expect(try site.run("run").code == 0)
    let written = try site.run("report", "1", "-o", "pages", "--json").json()
    #expect(written["identical"] as? Int == written["slices"] as? Int)
    let job = try #require(written["path"] as? String)
    let run = try #require(
      try site.run("report", "--run", "last", "-o", "pages", "--json").json()["path"] as? String)
    let mode = try FileManager.default.attributesOfItem(atPath: job)[.posixPermissions] as? Int
    #expect(mode == 0o640)
    for (page, arguments) in [(job, []), (run, []), (job, ["--repeat", "1000"])] {
      guard let verdict = try arguments.isEmpty ? judge(page) : judge(page, arguments[0], arguments[1]) else {
        return
      }
      #expect(verdict.code == 0, "\(verdict.output)")
      if !arguments.isEmpty { print(verdict.output) }
    }
  }

  @Test func `a page without the store shows what was published and says why not more`() throws {
    let site = try Site()
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    try FileManager.default.removeItem(atPath: site.folder + "/store")
    let written = try site.run("report", "1", "-o", "pages", "--json").json()
    #expect((written["note"] as? String)?.isEmpty == false && written["identical"] as? Int == 0)
    let job = try #require(written["path"] as? String)
    let page = try String(contentsOfFile: job, encoding: .utf8)
    #expect(page.contains("shows the published images only"))
    guard let verdict = try judge(job) else { return }
    #expect(verdict.code == 0, "\(verdict.output)")
  }

  @Test func `nothing names the patient where it is asked to be left out`() throws {
    let site = try Site()
    try site.drop(Site.samples + "/ct-mr")
    try site.drop("PHANTOM^ADA.dcm", text: "not a DICOM file")
    #expect(try site.run("run").code == 1)
    let outputs = try JSONSerialization.jsonObject(
      with: Data(site.run("audit", "outputs", "--json").output.utf8))
    let row = try #require((outputs as? [[String: Any]])?.first)
    let known = try ["sop", "series", "study"].map { try #require(row[$0] as? String) }
    #expect(row["patient"] as? String == "FUSELINE-PHANTOM-1")
    var answers: [String] = []
    for name in ["jobs", "inputs", "outputs", "events", "failures", "conflicts", "runs"] {
      answers.append(try site.run("audit", name, "--redact", "--json").output)
      answers.append(try site.run("audit", name, "--redact").output)
    }
    for uid in known {
      answers.append(try site.run("audit", "lineage", uid, "--redact", "--json").output)
      answers.append(try site.run("explain", uid, "--redact", "--json").output)
    }
    answers.append(try site.run("audit", "job", "1", "--redact", "--json").output)
    answers.append(try site.run("audit", "model", "bsafusion-joint", "--redact", "--json").output)
    for format in ["csv", "json", "fhir", "dicom"] {
      answers.append(try site.run("audit", "export", "--format", format, "--redact").output)
    }
    for asked in [["1"], ["--run", "last"]] {
      let written = try site.run(arguments: ["report"] + asked + ["-o", "pages", "--redact", "--json"]).json()
      answers.append(try String(contentsOfFile: #require(written["path"] as? String), encoding: .utf8))
    }
    for answer in answers {
      #expect(answer.count > 1)
      // Long runs without a space are pictures and keys in base64, where any three letters come up.
      let text = answer.replacing(/[A-Za-z0-9+\/=]{100,}/, with: "")
      for word in ["FUSELINE-PHANTOM-1", "Ada", "ADA", "1960-01-02", "19600102"] {
        #expect(!text.contains(word), "\(word) in \(answer.prefix(200))")
      }
    }
    #expect(try site.run("audit", "sql", "SELECT 1", "--redact").code == 64)
  }
}
