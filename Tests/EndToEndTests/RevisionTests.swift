// The same pair made anew when images come late or settings change, and current again when they change back.

import Foundation
import Testing

@Suite struct RevisionTests {
  private func states(_ site: Site) throws -> [String] {
    let output = try site.run("audit", "sql", "SELECT state FROM v_jobs ORDER BY job", "--csv").output
    return output.split(whereSeparator: \.isNewline).dropFirst().map(String.init)
  }

  private func configure(_ site: Site, side: Int) throws {
    try "grid: {side: \(side)}\nintake: {quiet_time: 0 s}\n".write(
      toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
  }

  @Test func `other settings make a new series, and going back makes the first one current again`() throws {
    let site = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    let first = site.files("output")
    try configure(site, side: 48)
    #expect(try site.run("run").code == 0)
    #expect(try states(site) == ["superseded", "done"])
    #expect(site.files("output").count == 2 * first.count)
    try configure(site, side: 32)
    let back = try site.run("run", "--json")
    #expect(back.code == 0, "\(back.errors)")
    #expect(try states(site) == ["done", "superseded"])
    #expect(site.files("output").count == 2 * first.count)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `slices that come late make a new revision, and the old one is marked as replaced`() throws {
    let site = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    let mr = try Site.sampleFiles("ct-mr", "MR_")
    let early = try Site.sampleFiles("ct-mr", "CT_HEAD") + mr.dropLast(2)
    for (index, file) in early.enumerated() { try site.drop(file, as: "\(index)") }
    #expect(try site.run("run").code == 0)
    let first = site.files("output")
    for file in mr.suffix(2) { try site.drop(file) }
    #expect(try site.run("run").code == 0)
    #expect(try states(site) == ["superseded", "done"])
    let all = site.files("output")
    #expect(first.count == 10 && Set(first).isSubset(of: all) && all.count == 22)
    #expect(Set(all.map { ($0 as NSString).deletingLastPathComponent }).count == 2)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `a pair refused, trusted and refused again is a refusal each time, not a failure of the run`()
    throws
  {
    let base = "grid: {side: 32}\nintake: {quiet_time: 0 s}\n"
    let strict = base + "alignment: {registration: same-frame}\n"
    let site = try Site(strict)
    let ct = try Site.sampleFiles("ct-mr", "CT_").filter { !$0.contains("SCOUT") }
    guard try site.dropEdited(ct, "d.FrameOfReferenceUID = '1.2.3.4'") else { return }
    for file in try Site.sampleFiles("ct-mr", "MR_") { try site.drop(file) }
    #expect(try site.run("run").code == 1)
    #expect(try states(site) == ["rejected"])
    try (base + "alignment: {registration: header}\n").write(
      toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
    #expect(try site.run("run").code == 0)
    #expect(try states(site) == ["superseded", "done"])
    try strict.write(toFile: site.folder + "/pipeline.yaml", atomically: true, encoding: .utf8)
    let again = try site.run("run")
    #expect(again.code <= 1, "\(again.errors)")
    #expect(try states(site) == ["rejected", "done"])
    #expect(try site.run("audit", "verify").code == 0)
  }
}
