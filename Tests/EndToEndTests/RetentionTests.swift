// Stored images go only when asked for, only when what was made of them is proven, and come back when sent again.

import Foundation
import Testing

@Suite struct RetentionTests {
  private static let off = "grid: {side: 32}\nintake: {quiet_time: 0 s}\n"
  private static let on = off + "retention: {sources: 30 d, events: 30 d}\n"

  private func configure(_ site: Site, _ yaml: String) throws {
    try yaml.write(toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
  }

  /// A site with a finished job that the ledger takes for two months old; nil where the test Python is not set up.
  private func aged() throws -> Site? {
    let site = try Site(Self.off)
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    let python = Site.root.appendingPathComponent(".venv/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: python) else {
      print("skipped: no .venv; run make setup")
      return nil
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [
      "-c",
      """
      import datetime, sqlite3, sys
      ledger = sqlite3.connect(sys.argv[1])
      then = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
      ledger.execute("UPDATE jobs SET finished = ?", [then])
      ledger.execute("UPDATE series SET last_arrival = ?", [then])
      ledger.commit()
      """, site.folder + "/fuseline.sqlite",
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return site
  }

  private func images(_ site: Site) -> Int { site.files("store").count }

  @Test func `nothing goes unless the settings say so, nor before its time`() throws {
    guard let site = try aged() else { return }
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
    guard let site = try aged() else { return }
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
    guard let site = try aged() else { return }
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
    guard let site = try aged() else { return }
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
    guard let site = try aged() else { return }
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
