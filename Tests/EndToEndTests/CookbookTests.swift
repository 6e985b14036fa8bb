// The ten questions of docs/audit-cookbook.md, asked as they are written there.

import Foundation
import Testing

@Suite struct CookbookTests {
  @Test func `each of the ten questions is answered by its one command`() throws {
    let site = try Site()
    try site.drop(Site.samples + "/ct-mr")
    // Without models nothing is fused, but the images are taken in: enough to ask about.
    _ = try site.run("run")
    let inputs = try JSONSerialization.jsonObject(
      with: Data(site.run("audit", "inputs", "--json").output.utf8))
    let row = try #require((inputs as? [[String: Any]])?.first { $0["state"] as? String == "accepted" })
    let sop = try #require(row["sop"] as? String)
    let study = try #require(row["study"] as? String)
    let page = try String(
      contentsOf: Site.root.appendingPathComponent("docs/audit-cookbook.md"), encoding: .utf8)
    let commands = page.components(separatedBy: "```sh\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    #expect(commands.count == 10)
    for command in commands {
      var words = Self.words(command)
      #expect(words.removeFirst() == "fuseline")
      // The bad model of the page is not ours.
      if let index = words.firstIndex(of: "9f86d081884c") { words[index] = "bsafusion-joint" }
      for index in words.indices
      where words[index].count > 30 && words[index].allSatisfy({ $0.isNumber || $0 == "." }) {
        words[index] = words[index - 1] == "--study" ? study : sop
      }
      let result = try site.run(arguments: words)
      #expect(result.code == 0, "\(command): \(result.errors)")
      #expect(!result.output.isEmpty, "\(command)")
    }
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
