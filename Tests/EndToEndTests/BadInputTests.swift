// What users drop by mistake: each case has a clear answer, and nothing is lost.

import Foundation
import Testing

@Suite struct BadInputTests {
  @Test func `a truncated, an empty and a text file are quarantined, unchanged, with reasons`() throws {
    let site = try Site()
    let slice = try #require(try Site.sampleFiles("ct-mr", "CT").first)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: slice))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: site.inbox + "/half.dcm"))
    try site.drop("note.txt", text: "not an image")
    try site.drop("nothing", text: "")
    let result = try site.run("run", "--json")
    #expect(result.code == 1)
    let counts = try #require(try result.json()["instances"] as? [String: Int])
    #expect(counts["rejected"] == 3)
    let kept = site.files("quarantine")
    #expect(kept.count == 6)
    for reason in ["truncated", "not_dicom", "empty_file"] {
      #expect(kept.contains { $0.hasPrefix(reason + "/") && $0.hasSuffix(".json") }, "\(reason) in \(kept)")
    }
    #expect(site.files("inbox").isEmpty)
    #expect(try site.run("audit", "failures", "--json").output.contains("truncated"))
  }

  @Test func `a series of two patients is refused, with nobody's name in the answer`() throws {
    let site = try Site()
    let slices = try Site.sampleFiles("ct-mr", "CT_").filter { !$0.contains("SCOUT") }
    guard try site.dropEdited(slices, "if index % 2: d.PatientID, d.PatientName = 'OTHER-4711', 'Other^Olga'")
    else { return }
    let result = try site.run("run", "--json")
    #expect(result.code == 1)
    #expect(result.output.contains("mixed_patients"))
    #expect(!(result.output + result.errors).contains("Olga"))
    #expect(!(result.output + result.errors).contains("OTHER-4711"))
    #expect(try site.run("audit", "failures").output.contains("mixed_patients"))
    #expect(try site.run("run").code == 0)
  }

  @Test func `an image without pixels is quarantined with that reason`() throws {
    let site = try Site()
    let slice = Array(try Site.sampleFiles("pet-mr", "PT").prefix(1))
    guard try site.dropEdited(slice, "del d.PixelData") else { return }
    #expect(try site.run("run").code == 1)
    #expect(site.files("quarantine").contains { $0.hasPrefix("missing_pixel_data/") })
  }

  @Test func `the same bytes again are counted and dropped`() throws {
    let site = try Site()
    let slice = try #require(try Site.sampleFiles("ct-mr", "CT").first)
    try site.drop(slice, as: "a")
    try site.drop(slice, as: "b")
    let counts = try #require(try site.run("run", "--json").json()["instances"] as? [String: Int])
    #expect(counts == ["accepted": 1, "duplicate": 1, "skipped": 0, "rejected": 0])
  }

  @Test func `a configuration with a misspelt key is refused with its place`() throws {
    let site = try Site("gird: {side: 64}\n")
    let result = try site.run("run")
    #expect(result.code == 78)
    #expect(result.errors.contains("pipeline.yaml:1:1"))
    #expect(result.errors.contains("“grid”"))
  }

  @Test func `an output folder that is a file stops the run before anything is taken in`() throws {
    let site = try Site()
    try "".write(toFile: site.folder + "/output", atomically: true, encoding: .utf8)
    try site.drop(try #require(try Site.sampleFiles("ct-mr", "CT").first))
    let result = try site.run("run")
    #expect(result.code == 73)
    #expect(result.errors.contains("output"))
    #expect(site.files("inbox").count == 1)
  }

  @Test func `a missing model is said, and the images are kept for the next run`() throws {
    let site = try Site("grid: {side: 64}\nintake: {quiet_time: 0 s}\nmodels: nowhere\n")
    try site.drop(Site.samples + "/ct-mr")
    let result = try site.run("run")
    #expect(result.code == 69)
    #expect(result.errors.contains("nowhere"))
    #expect(!site.files("store").isEmpty)
    #expect(site.files("output").isEmpty)
  }

  @Test func `unknown arguments are a usage error`() throws {
    #expect(try Site().run("fly").code == 64)
    #expect(try Site().run("--version").output.contains("fuseline"))
  }

  @Test func `every command has help with an example`() throws {
    for command in [
      ["run"], ["plan"], ["explain"], ["fuse"], ["audit", "lineage"], ["model", "apply"],
      ["config", "check"], ["doctor"],
    ] {
      let site = try Site()
      let process = try site.run(arguments: command + ["--help"])
      #expect(process.output.contains("Example"), "\(command)")
    }
  }
}
