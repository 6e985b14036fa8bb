// Studies from two scanners that share no coordinates: brought together by their voxels, or refused.

import Foundation
import Testing

/// Two drawn studies and the transform between their scanners.
private struct TwoScanners {
  let folder: String
  /// MR to CT positions, 4×4, row-major.
  let truth: [Double]

  /// Nil where the test Python is not set up.
  init?() throws {
    let python = Site.root.appendingPathComponent(".venv/bin/python")
    guard FileManager.default.isExecutableFile(atPath: python.path) else {
      print("skipped: no .venv; run make setup")
      return nil
    }
    folder = NSTemporaryDirectory() + "fuseline-scanners-\(UUID().uuidString)"
    let process = Process()
    process.executableURL = python
    process.arguments = [
      Site.root.appendingPathComponent("Tests/EndToEndTests/Judge/two_scanners.py").path, folder,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    truth = try JSONDecoder().decode([Double].self, from: text)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Largest distance over landmarks of the brain from where they belong, mm.
  func error(_ matrix: [Double]) -> Double {
    var worst = 0.0
    for (x, y, z) in [
      (0.0, 0.0, 0.0), (60, 0, 10), (-60, 0, 10), (0, 70, 0), (0, -70, 10), (0, 0, 55), (20, 30, -30),
    ] {
      let distance = (0..<3).map { row in
        let by = zip(matrix, truth).map { $0 - $1 }
        return by[4 * row] * x + by[4 * row + 1] * y + by[4 * row + 2] * z + by[4 * row + 3]
      }
      worst = max(worst, distance.reduce(0) { $0 + $1 * $1 }.squareRoot())
    }
    return worst
  }
}

@Suite struct RegistrationTests {
  @Test func `scanners without common coordinates are registered, another head is refused`() throws {
    guard let scanners = try TwoScanners() else { return }
    defer { scanners.remove() }
    let site = try Site()
    try site.drop(scanners.folder + "/same")
    try site.drop(scanners.folder + "/other")
    let plan = try site.run("plan")
    #expect(plan.output.contains("registering the voxels"), "\(plan.output)")

    let report = try site.run("run", "--json").json()
    let jobs = try #require(report["jobs"] as? [[String: Any]])
    let outcomes = jobs.map { [$0["state"] as? String ?? "", $0["reason"] as? String ?? ""] }
    #expect(Set(outcomes) == [["done", ""], ["rejected", "registration_misfit"]], "\(outcomes)")
    #expect(report["outputs"] as? Int == 14)

    let series = try #require(jobs.first { $0["state"] as? String == "done" }?["series"] as? String)
    let output = try #require(site.files("output").first { $0.contains("/\(series)/") })
    let uid = ((output as NSString).lastPathComponent as NSString).deletingPathExtension
    let lineage = try site.run("audit", "lineage", uid, "--json").json()
    let registration = try #require(lineage["registration"] as? [String: Any])
    #expect(registration["kind"] as? String == "rigid")
    let matrix = try #require(registration["matrix"] as? [Double])
    let error = scanners.error(matrix)
    print("landmarks of the registered pair lie within \(error) mm")
    #expect(error < 1)
    let rigid = try #require(registration["rigid"] as? [String: Any])
    let measures = ["measure_before", "measure_after"].compactMap { rigid[$0] as? Double }
    #expect(measures.count == 2 && measures[0] < measures[1])
    #expect(try site.run("audit", "reproduce", uid).output.contains("identical, byte for byte"))

    try checkRefusal(site, jobs)
    try checkObject(site, scanners, #require(registration["output"] as? [String: Any]), matrix)

    let alone = try site.run("register", scanners.folder + "/same/MR", scanners.folder + "/same/CT", "--json")
    #expect(try alone.json()["matrix"] as? [Double] == matrix)
    #expect(try site.run("register", scanners.folder + "/other/MR", scanners.folder + "/other/CT").code == 1)
  }

  /// The Spatial Registration object: valid, on record, and as good as the voxels for whoever reads it.
  private func checkObject(
    _ site: Site, _ scanners: TwoScanners, _ record: [String: Any], _ matrix: [Double]
  ) throws {
    let names = ["path", "sop", "series"].compactMap { record[$0] as? String }
    try #require(names.count == 3)
    let file = site.folder + "/output/" + names[0]
    #expect(try registrationJudge(file, scanners, matrix) == "fine")
    #expect(site.files("output").count == 15)
    for uid in names[1...] {
      #expect(try site.run("audit", "lineage", uid).output.contains("registration"), "\(uid)")
    }
    let proof = try site.run("audit", "verify", "--json").json()
    #expect(proof["outputs"] as? Int == 15)

    let other = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    try other.drop(scanners.folder + "/same")
    try other.drop(file)
    #expect(try other.run("plan").output.contains("registering the voxels") == false)
    #expect(try other.run("run").code == 0)
    let output = try #require(other.files("output").first)
    let uid = ((output as NSString).lastPathComponent as NSString).deletingPathExtension
    let lineage = try other.run("audit", "lineage", uid, "--json").json()
    let registration = try #require(lineage["registration"] as? [String: Any])
    #expect(registration["kind"] as? String == "registration-object")
    let read = try #require(registration["matrix"] as? [Double])
    #expect(zip(read, matrix).allSatisfy { abs($0 - $1) < 1e-6 })

    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[bytes.count - 1] ^= 1
    try FileManager.default.removeItem(atPath: file)
    try bytes.write(to: URL(fileURLWithPath: file))
    let broken = try site.run("audit", "verify")
    #expect(broken.code == 1 && broken.output.contains(names[1]))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
  }

  /// What dciodvfy and pydicom say of an object; "fine" where they find nothing.
  private func registrationJudge(_ file: String, _ scanners: TwoScanners, _ matrix: [Double]) throws -> String
  {
    let process = Process()
    process.executableURL = Site.root.appendingPathComponent(".venv/bin/python")
    let numbers = String(decoding: try JSONEncoder().encode(matrix), as: UTF8.self)
    process.arguments = [
      Site.root.appendingPathComponent("Tests/EndToEndTests/Judge/registration_object.py").path, file,
      scanners.folder + "/same/MR", scanners.folder + "/same/CT", numbers,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func `killed once the registration object is in place, the next run leaves the same files`() throws {
    guard let scanners = try TwoScanners() else { return }
    defer { scanners.remove() }
    let site = try Site("grid: {side: 32}\nintake: {quiet_time: 0 s}\n")
    try site.drop(scanners.folder + "/same")
    let killed = try site.run(arguments: ["run"], environment: ["FUSELINE_FAULT": "registration-placed"])
    #expect(killed.code == 128 + SIGKILL)
    let object = try #require(site.files("output").first)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + object))
    #expect(try site.run("run").code == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: site.folder + "/output/" + object)) == bytes)
    #expect(site.files("output").count == 15)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `who wants no registration object gets none`() throws {
    guard let scanners = try TwoScanners() else { return }
    defer { scanners.remove() }
    let site = try Site(
      "grid: {side: 32}\nintake: {quiet_time: 0 s}\noutput: {registration_object: false}\n")
    try site.drop(scanners.folder + "/same")
    #expect(try site.run("run").code == 0)
    #expect(site.files("output").count == 14)
  }

  /// The numbers of a registration that was not believed can be asked for.
  private func checkRefusal(_ site: Site, _ jobs: [[String: Any]]) throws {
    let refused = try #require(jobs.first { $0["state"] as? String == "rejected" })
    let job = try #require(refused["job"] as? Int)
    let detail = try site.run("audit", "job", "\(job)", "--json").json()
    let registration = try #require(detail["registration"] as? [String: Any])
    let rigid = try #require(registration["rigid"] as? [String: Any])
    #expect(rigid["verdict"] as? String == "registration_misfit")
    #expect((registration["matrix"] as? [Double])?.count == 16)
    #expect(try site.run("audit", "job", "\(job)").output.contains("measure_after"))
    let moving = try #require(refused["moving"] as? String)
    #expect(try site.run("explain", moving).output.contains("verdict registration_misfit"))
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `who wants no registration gets a refusal`() throws {
    let site = try Site(
      "grid: {side: 32}\nintake: {quiet_time: 0 s}\nalignment: {registration: same-frame}\n")
    let ct = try Site.sampleFiles("ct-mr", "CT_").filter { !$0.contains("SCOUT") }
    guard try site.dropEdited(ct, "d.FrameOfReferenceUID = '1.2.3.4'") else { return }
    for file in try Site.sampleFiles("ct-mr", "MR_") { try site.drop(file) }
    #expect(try site.run("plan").output.contains("different_frame_of_reference"))
  }
}
