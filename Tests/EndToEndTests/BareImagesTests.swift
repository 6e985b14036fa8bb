// `model apply` on bare images: numbers for programs, pictures for people.

import Foundation
import Testing

@Suite struct BareImagesTests {
  /// A grey 8-bit PNG of a disc, made by the test Python; nil where that is not set up.
  private func discs(_ site: Site) throws -> (fixed: String, moving: String)? {
    let python = Site.root.appendingPathComponent(".venv/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: python) else {
      print("skipped: no .venv; run make setup")
      return nil
    }
    let script = """
      from PIL import Image, ImageDraw
      for name, mode, shift, ink in (("fixed", "L", 0, 200), ("moving", "RGB", 4, (250, 120, 10))):
          image = Image.new(mode, (64, 64)); ImageDraw.Draw(image).ellipse((12 + shift, 12, 50 + shift, 54), fill=ink)
          image.save(f"{name}.png")
      Image.new("L", (100, 100)).save("odd.png")
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    try process.run()
    process.waitUntilExit()
    return (site.folder + "/fixed.png", site.folder + "/moving.png")
  }

  @Test func `a colour picture stays a colour picture, and numbers can be dumped`() throws {
    let site = try Site()
    guard let images = try discs(site) else { return }
    let arguments = [
      "model", "apply", "--model", "pet-mr", "--fixed", images.fixed, "--moving", images.moving, "--output",
    ]
    #expect(try site.run(arguments: arguments + ["fused.png"]).code == 0)
    let picture = try Data(contentsOf: URL(fileURLWithPath: site.folder + "/fused.png"))
    // Colour type of the PNG's IHDR (byte 25): 2 is RGB.
    #expect(picture[25] == 2)
    let dump = try site.run(arguments: arguments + ["fused.safetensors", "--dump"])
    #expect(dump.code == 0, "\(dump.errors)")
    let header = try Data(contentsOf: URL(fileURLWithPath: site.folder + "/fused.safetensors")).prefix(
      200_000)
    for name in ["\"fused\"", "\"flow\"", "\"aligned\"", "\"enc.AS_F\"", "\"flow10\""] {
      #expect(header.range(of: Data(name.utf8)) != nil, "\(name)")
    }
    #expect(try site.run(arguments: arguments + ["fused.gif"]).code == 64)
  }

  @Test func `images of a side the network does not take are refused in a sentence`() throws {
    let site = try Site()
    guard let images = try discs(site) else { return }
    let odd = try site.run(
      "model", "apply", "--model", "ct-mr", "--fixed", "odd.png", "--moving", "odd.png", "--output", "x.png")
    #expect(odd.code == 65)
    #expect(odd.errors.contains("multiple of 16"))
    let result = try site.run(
      "model", "apply", "--model", "ct-mr", "--fixed", images.fixed, "--moving", site.folder + "/no.png",
      "--output", "x.png")
    #expect(result.code == 66)
    #expect(
      try site.run(
        "model", "apply", "--model", "no-such", "--fixed", images.fixed, "--moving", images.fixed, "--output",
        "x.png"
      ).code == 69)
  }
}
