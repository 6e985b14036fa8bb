// The ten questions of docs/audit-cookbook.md, asked as they are written there.

import Foundation
import Testing

@Suite struct CookbookTests {
  /// A night at a site: a study is fused, a note lies among the files, and an image comes again with other pixels.
  private struct Night {
    let site: Site
    let outputs: [[String: Any]]
    let inputs: [[String: Any]]
    /// The image behind whose UID there are two now.
    let disputed: String

    init() throws {
      site = try Site()
      try site.drop(Site.samples + "/ct-mr")
      try site.drop("note.dcm", text: "not a DICOM file")
      let first = try site.run("run")
      #expect(first.code == 1, "\(first.errors)")
      inputs = try Self.rows(site, "inputs").filter { $0["state"] as? String == "accepted" }
      let path = try #require(inputs.first?["path"] as? String)
      disputed = try #require(inputs.first?["sop"] as? String)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: site.folder + "/store/" + path))
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: URL(fileURLWithPath: site.inbox + "/again.dcm"))
      #expect(try site.run("run").code == 1)
      outputs = try Self.rows(site, "outputs")
    }

    static func rows(_ site: Site, _ question: String) throws -> [[String: Any]] {
      let answer = try site.run("audit", question, "--json").output
      return try #require(JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [[String: Any]])
    }

    func text(_ row: [String: Any], _ key: String) throws -> String { try #require(row[key] as? String) }
  }

  /// The commands of the page, with what there is here in the place of its example.
  private func commands(_ night: Night) throws -> [[String]] {
    let page = try String(
      contentsOf: Site.root.appendingPathComponent("docs/audit-cookbook.md"), encoding: .utf8)
    let lines = page.components(separatedBy: "```sh\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    let output = try night.text(try #require(night.outputs.first), "sop")
    let study = try night.text(try #require(night.inputs.first), "study")
    let patient = try night.text(try #require(night.inputs.first), "patient")
    return lines.map { line in
      var words = Self.words(line)
      #expect(words.removeFirst() == "fuseline")
      for index in words.indices {
        switch words[index] {
        case "9f86d081884c": words[index] = night.outputs.first?["model"] as? String ?? ""
        case "12345678": words[index] = patient
        case let word where word.count > 30 && word.allSatisfy({ $0.isNumber || $0 == "." }):
          words[index] =
            words[index - 1] == "--study" ? study : word.hasPrefix("2.25.") ? output : night.disputed
        default: break
        }
      }
      return words
    }
  }

  @Test func `each of the ten questions is answered by its one command, and the answers are right`() throws {
    let night = try Night()
    let commands = try commands(night)
    #expect(commands.count == 10 && night.outputs.count > 2)
    let answers = try commands.map { words in
      let result = try night.site.run(arguments: words)
      #expect(result.code == 0, "\(words): \(result.errors)")
      return result.output
    }
    func lines(_ number: Int) -> [Substring] { answers[number - 1].split(separator: "\n") }
    func contains(_ number: Int, _ parts: [String]) {
      for part in parts { #expect(answers[number - 1].contains(part), "question \(number): \(part)") }
    }
    let made = night.outputs
    let output = try #require(made.first)
    let lineage = try night.site.run("audit", "lineage", night.text(output, "sop"), "--json").json()
    let inputs = try #require(lineage["inputs"] as? [[String: Any]])
    #expect(inputs.count >= 2)
    contains(1, try inputs.flatMap { [try night.text($0, "sop"), try night.text($0, "sha256")] })
    contains(
      1,
      [
        try night.text(output, "model_sha256"), "settings.sha256", "software.version", "deformation.accepted",
        "normalization.fixed.method", "normalization.moving.unit", "registration.kind",
      ])
    let used = try made.filter { output in
      let lineage = try night.site.run("audit", "lineage", night.text(output, "sop"), "--json").output
      return lineage.contains(night.disputed)
    }
    #expect(!used.isEmpty)
    contains(2, try used.map { try night.text($0, "sop") })
    contains(3, ["uid_conflict", "the first file was kept", "export it again"])
    #expect(
      lines(3).dropFirst().allSatisfy { $0.hasPrefix("    1  ") || $0.hasPrefix("     ") }, "\(answers[2])")
    contains(4, [try night.text(output, "model_sha256"), "CT-MR", "done", " \(made.count) "])
    // Every file of the study, the one refused, and the head of the table.
    #expect(try lines(5).count == Site.sampleFiles("ct-mr", "").count + 2)
    contains(6, ["sop", night.disputed, "sha256"])
    contains(
      7, ["\(made.count) outputs checked", "\(night.inputs.count) inputs", "whole: nothing was changed"])
    let undeformed = made.filter { $0["accepted"] as? Bool == false }
    #expect(lines(8).count == undeformed.count + 1)
    contains(8, try undeformed.map { try night.text($0, "sop") })
    contains(9, ["\"resourceType\":\"Bundle\""])
    contains(9, try made.map { "urn:oid:" + (try night.text($0, "sop")) })
    #expect(lines(10).count == 2 && lines(10)[1].split(separator: " ").contains("\(made.count)"))
  }

  @Test func `an output swapped on disk is what verify names`() throws {
    let site = try Site()
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    let rows = try Night.rows(site, "outputs")
    let first = try #require(rows.first?["path"] as? String)
    let second = try #require(rows.last?["path"] as? String)
    let folder = site.folder + "/output/"
    try FileManager.default.removeItem(atPath: folder + first)
    try FileManager.default.copyItem(atPath: folder + second, toPath: folder + first)
    let verdict = try site.run("audit", "verify")
    #expect(verdict.code == 1)
    #expect(
      verdict.output.contains(
        "BROKEN at \(try #require(rows.first?["sop"] as? String)): its file has other bytes"))
  }

  @Test func `a checkpoint is signed with the key that the settings name, and is found in the chain`() throws
  {
    let site = try Site()
    try site.drop("note.dcm", text: "not a DICOM file")
    #expect(try site.run("run").code == 1)
    let key = site.folder + "/fuseline.key"
    #expect(FileManager.default.fileExists(atPath: key))
    let signed = try site.run("audit", "checkpoint")
    #expect(signed.code == 0, "\(signed.errors)")
    try signed.output.write(toFile: site.folder + "/kept.json", atomically: true, encoding: .utf8)
    #expect(try site.run("audit", "verify", "--known", "kept.json").code == 0)
    let failures = try site.run("audit", "failures").output
    #expect(failures.contains("is not a DICOM file; if it should be one, export it again"))
  }

  /// Words as a shell takes them; double quotes hold a word together.
  private static func words(_ line: String) -> [String] {
    line.components(separatedBy: "\"").enumerated().flatMap { index, part in
      index % 2 == 1 ? [part] : part.split(separator: " ").map(String.init)
    }
  }
}
