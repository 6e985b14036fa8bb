// Killed between any two steps and run again: the same files, byte for byte, and a ledger that holds together.

import Foundation
import Testing

@testable import Pipeline

@Suite(.serialized) struct FaultTests {
  /// Everything a site's folders hold, by path.
  private func contents(_ site: Site) throws -> [String: Data] {
    var all: [String: Data] = [:]
    for folder in ["output", "store", "quarantine", "inbox"] {
      for path in site.files(folder) {
        // The note beside a refused file names where it lay and when; both differ between sites.
        let isNote = folder == "quarantine" && path.hasSuffix(".json")
        all[folder + "/" + path] =
          isNote ? Data() : try Data(contentsOf: URL(fileURLWithPath: "\(site.folder)/\(folder)/\(path)"))
      }
    }
    return all
  }

  private func dropped() throws -> Site {
    let site = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    try site.drop(Site.samples + "/ct-mr")
    try site.drop("note.txt", text: "not an image")
    return site
  }

  private func survives(_ point: FaultPoint, like undisturbed: [String: Data]) throws {
    let site = try dropped()
    let killed = try site.run(arguments: ["run"], environment: ["FUSELINE_FAULT": point.rawValue])
    #expect(killed.code == 128 + SIGKILL, "\(point) was not reached: \(killed.errors)")
    let visible = site.files("output").filter { !$0.contains("/.") }
    #expect(visible.allSatisfy { undisturbed.keys.contains("output/" + $0) }, "\(point): a file nobody made")
    let again = try site.run("run")
    #expect(again.code <= 1, "\(point): \(again.errors)")
    let now = try contents(site)
    #expect(Set(now.keys) == Set(undisturbed.keys), "\(point)")
    #expect(now == undisturbed, "\(point)")
    let proof = try site.run("audit", "verify")
    #expect(proof.code == 0, "\(point): \(proof.output)")
  }

  @Test func `kill -9 between the steps of intake and delivery changes nothing in the end`() throws {
    let undisturbed = try dropped()
    #expect(try undisturbed.run("run").code == 1)
    let expected = try contents(undisturbed)
    #expect(expected.keys.contains { $0.hasPrefix("output/") })
    let isWholeMatrix = ProcessInfo.processInfo.environment["FUSELINE_FAULT_MATRIX"] != nil
    let points: [FaultPoint] =
      isWholeMatrix
      // A pass without retention does not come by there; RetentionTests do.
      ? FaultPoint.allCases.filter {
        ![.retentionReleased, .retentionRemoved, .registrationPlaced].contains($0)
      }
      : [.fileClaimed, .filePlaced, .fileRecorded, .partRecorded, .partRenamed]
    for point in points { try survives(point, like: expected) }
  }

  @Test func `an image that cannot be given its place holds its study back, and no other file`() throws {
    let plain = try dropped()
    #expect(try plain.run("run").code == 1)
    let slice = try #require(plain.files("store").last { !$0.hasPrefix("skipped/") })
    let site = try dropped()
    let place = URL(fileURLWithPath: site.folder + "/store/" + slice)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("other bytes".utf8).write(to: place)
    #expect(try site.run("run").code == 1)
    #expect(site.files("inbox").count == 1 && site.files("output").isEmpty)
    try FileManager.default.removeItem(at: place)
    #expect(try site.run("run").code == 0)
    #expect(try contents(site) == contents(plain))
    let jobs = try site.run("audit", "sql", "SELECT count(*) FROM jobs", "--csv").output
    #expect(jobs.split(whereSeparator: \.isNewline).last == "1", "nothing was fused without the image")
  }
}
