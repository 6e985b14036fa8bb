// The newcomer's way: the sample studies dropped, run, run again, and asked about.

import Foundation
import Testing

@Suite struct SampleStudiesTests {
  @Test func `the sample studies become four fused series, once`() throws {
    let site = try Site()
    try site.drop(Site.samples)
    let plan = try site.run("plan", "--json").json()
    #expect(site.files("store").isEmpty)
    #expect((plan["pairs"] as? [Any])?.count == 4)

    let first = try site.run("run", "--json")
    #expect([0, 1].contains(first.code), "\(first.errors)")
    let report = try first.json()
    let pairs = try #require(report["pairs"] as? [String: Int])
    #expect(pairs["done"] == 4)
    #expect(pairs["failed"] == 0)
    let outputs = site.files("output")
    #expect(outputs.count == report["outputs"] as? Int)
    #expect(outputs.allSatisfy { $0.hasSuffix(".dcm") })
    #expect(site.files("inbox").isEmpty)

    let bytes = try outputs.map { try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + $0)) }
    let second = try site.run("run", "--json")
    #expect(second.code == 0)
    #expect((try second.json()["outputs"] as? Int) == 0)
    #expect(site.files("output") == outputs)
    #expect(
      try outputs.map { try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + $0)) } == bytes)
    try ask(site, about: outputs)
  }

  private func ask(_ site: Site, about outputs: [String]) throws {
    let uid = ((outputs[0] as NSString).lastPathComponent as NSString).deletingPathExtension
    let lineage = try site.run("audit", "lineage", uid, "--json").json()
    let inputs = try #require(lineage["inputs"] as? [[String: Any]])
    #expect(inputs.contains { $0["role"] as? String == "fixed" })
    #expect(inputs.contains { $0["role"] as? String == "moving" })
    #expect(try site.run("audit", "verify").code == 0)
    #expect(try site.run("audit", "jobs").output.contains("CT-MR"))
    #expect(try site.run("explain", uid).output.contains("output of job"))
    #expect(try site.run("audit", "reproduce", uid).output.contains("identical, byte for byte"))
    let other = try site.run(
      arguments: ["audit", "reproduce", uid, "--json"], environment: ["FUSELINE_ISA": "portable"])
    let difference = try #require(try other.json()["largest_difference"] as? Int)
    #expect(difference <= 1)
    try Data([0]).write(to: URL(fileURLWithPath: site.folder + "/output/" + outputs[0]))
    #expect(try site.run("audit", "verify").code == 1)
  }

  @Test func `the same drop in another folder gives the same bytes`() throws {
    let sites = try [Site(), Site()]
    var contents: [[Data]] = []
    for site in sites {
      try site.drop(Site.samples + "/ct-mr")
      #expect(try site.run("run").code <= 1)
      contents.append(
        try site.files("output").map {
          try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + $0))
        })
    }
    #expect(!contents[0].isEmpty)
    #expect(contents[0] == contents[1])
  }

  @Test func `a pair can be fused without a ledger`() throws {
    let site = try Site()
    let plan = try site.run("plan", "--json", Site.samples + "/ct-mr").json()
    let pair = try #require((plan["pairs"] as? [[String: Any]])?.first)
    #expect(pair["rule"] as? String == "CT-MR")
    let folders = try FileManager.default.contentsOfDirectory(atPath: Site.samples + "/ct-mr").sorted()
    let mr = try #require(folders.first { $0.hasPrefix("MR_") && !$0.contains("LOC") })
    let ct = try #require(folders.first { $0.hasPrefix("CT_") && !$0.contains("SCOUT") })
    let result = try site.run(
      "fuse", Site.samples + "/ct-mr/" + mr, Site.samples + "/ct-mr/" + ct, "-o", "fused", "--json")
    #expect(result.code == 0, "\(result.errors)")
    #expect(site.files("fused").count == (try result.json()["outputs"] as? Int))
    #expect(!FileManager.default.fileExists(atPath: site.folder + "/fuseline.sqlite"))
  }
}
