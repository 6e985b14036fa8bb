// Stored images go only when asked for, only when what was made of them is proven, and come back when sent again.

import Foundation
import Testing

@Suite struct RetentionTests {
  private static let off = "grid: {side: 32}\nintake: {quiet_time: 0 s}\n"
  private static let on = off + "retention: {sources: 30 d, events: 30 d}\n"

  private func configure(_ site: Site, _ yaml: String) throws {
    try yaml.write(toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
  }

  /// A site with a job that was finished two months ago, by a clock that was put back for it.
  private func aged() throws -> Site {
    let site = try Site(Self.off)
    let clock = site.folder + "/clock.so"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "clang", "-shared", "-fPIC", "-o", clock, Site.root.appendingPathComponent("Tests/Soak/clock.c").path,
      "-ldl",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    try withUnsafeBytes(of: Int64(-60 * 86_400).littleEndian) { Data($0) }
      .write(to: URL(fileURLWithPath: site.folder + "/shift"))
    try site.drop(Site.samples + "/ct-mr")
    let run = try site.run(
      arguments: ["run"], environment: ["LD_PRELOAD": clock, "FUSELINE_TEST_CLOCK": site.folder + "/shift"])
    #expect(run.code == 0, "\(run.errors)")
    return site
  }

  private func images(_ site: Site) -> Int { site.files("store").count }

  @Test func `nothing goes unless the settings say so, nor before its time`() throws {
    let site = try aged()
    let all = images(site)
    #expect(try site.run("retain").code == 0)
    #expect(images(site) == all)
    try configure(site, Self.off + "retention: {sources: 90 d}\n")
    #expect(try site.run("retain").output.contains("0 files removed"))
    #expect(images(site) == all)
    try configure(site, Self.off + "retention: {sources: 10 h}\n")
    #expect(try site.run("retain").code == 78)
  }

  @Test func `proven sources go, verify knows it, and sent again they are back`() throws {
    let site = try aged()
    let all = images(site)
    try configure(site, Self.on)
    let dry = try site.run("retain", "--dry-run", "--json").json()
    let series = try #require(dry["series"] as? [[String: Any]])
    #expect(series.compactMap { $0["files"] as? Int }.sorted() == [12, 22])
    #expect(images(site) == all)
    let gone = try site.run("retain", "--json")
    #expect(gone.code == 0, "\(gone.errors)")
    #expect(try gone.json()["removed"] as? Int == 34)
    // The scout was part of no pair.
    #expect(images(site) == all - 34)
    #expect(site.files("output").count == 12)
    let proof = try site.run("audit", "verify", "--json")
    #expect(proof.code == 0, "\(proof.output)")
    #expect(try proof.json()["released"] as? Int == 34)
    // Without images nothing is fused again and nothing fails, whatever the rules become.
    try configure(site, Self.on + "alignment: {maximum_folding: 1 %}\n")
    #expect(try site.run("run").code == 0)
    #expect(try site.run("audit", "jobs", "--json").output.contains(#""done""#))
    try configure(site, Self.on)
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    #expect(images(site) == all)
    let whole = try site.run("audit", "verify", "--json").json()
    #expect(whole["whole"] as? Bool == true && whole["released"] as? Int == 0)
    #expect(site.files("output").count == 12)
  }

  @Test func `sources of an output that is missing or changed stay, and retain says so`() throws {
    let site = try aged()
    let all = images(site)
    try configure(site, Self.on)
    let output = site.folder + "/output/" + site.files("output")[3]
    let bytes = try Data(contentsOf: URL(fileURLWithPath: output))
    try FileManager.default.removeItem(atPath: output)
    let kept = try site.run("retain")
    #expect(kept.code == 1 && kept.output.contains("kept: the output"), "\(kept.output)")
    var changed = bytes
    changed[changed.count - 1] ^= 1
    try changed.write(to: URL(fileURLWithPath: output))
    #expect(try site.run("retain").code == 1)
    #expect(images(site) == all)
    try bytes.write(to: URL(fileURLWithPath: output))
    #expect(try site.run("retain").code == 0)
    #expect(images(site) == all - 34)
  }

  @Test(arguments: ["retention-released", "retention-removed"])
  func `killed in between, the next pass finishes what was promised`(point: String) throws {
    let site = try aged()
    let all = images(site)
    try configure(site, Self.on)
    let killed = try site.run(arguments: ["retain"], environment: ["FUSELINE_FAULT": point])
    #expect(killed.code == 128 + SIGKILL, "\(killed.errors)")
    #expect(try site.run("audit", "verify").code == 0)
    #expect(try site.run("retain").code == 0)
    #expect(images(site) == all - 34)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `late images of a series that was let go are not taken for the whole of it`() throws {
    let site = try aged()
    try configure(site, Self.on)
    #expect(try site.run("retain").code == 0)
    let slices = Array(try Site.sampleFiles("ct-mr", "MR_").prefix(3))
    let dropped = try site.dropEdited(
      slices,
      "d.SOPInstanceUID = d.SOPInstanceUID + '.9'; d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID")
    guard dropped else { return }
    #expect(try site.run("run").code == 0)
    #expect(site.files("output").count == 12)
    #expect(try site.run("audit", "verify").code == 0)
  }
}
