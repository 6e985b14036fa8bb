// `model import`: a checkpoint as the published code would save it, and what is refused.

import Foundation
import Testing

@Suite struct ModelImportTests {
  /// The shipped weights as a torch checkpoint `whole.pkl`, one with a tensor less, and the tensors' digest of
  /// float32 values by name; nil without PyTorch.
  private func checkpoints(_ site: Site) throws -> Bool {
    let python = Site.root.appendingPathComponent(".venv/bin/python").path
    let script = """
      import sys; sys.path.insert(0, sys.argv[1] + "/Training")
      try: import torch
      except ImportError: sys.exit(9)
      from bsafusion import weights
      tensors = weights.load(sys.argv[1] + "/Models/bsafusion-joint.safetensors")
      nets = {}
      for name, values in tensors.items():
          net, _, rest = name.partition(".")
          nets.setdefault(net + "_state_dict", {})[rest] = torch.from_numpy(values)
      torch.save({**nets, "epoch": 2999}, "whole.pkl")
      nets["encoder_state_dict"].pop("rb1.mlp.bias")
      torch.save(nets, "less.pkl")
      """
    guard FileManager.default.isExecutableFile(atPath: python) else {
      print("skipped: no .venv; run make setup")
      return false
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, Site.root.path]
    process.currentDirectoryURL = URL(fileURLWithPath: site.folder)
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus == 9 { print("skipped: no PyTorch in .venv; run make setup-training") }
    return process.terminationStatus == 0
  }

  @Test func `a checkpoint becomes a model that can be shown, once`() throws {
    let site = try Site()
    guard try checkpoints(site) else { return }
    let models = site.folder + "/nets"
    try FileManager.default.createDirectory(atPath: models, withIntermediateDirectories: true)
    try Data("models: \(models)\n".utf8).write(to: URL(fileURLWithPath: site.folder + "/own.yaml"))
    let add = ["model", "import", "-c", "own.yaml", "whole.pkl", "--name", "published", "--pair", "CT-MR"]
    let first = try site.run(arguments: add)
    #expect(first.code == 0, "\(first.errors)")
    #expect(first.output.contains("10028296 parameters"))
    let shown = try site.run("model", "show", "-c", "own.yaml", "published")
    #expect(shown.code == 0 && shown.output.contains("for          CT-MR\n"), "\(shown.errors)")
    let card = try site.run("model", "show", "-c", "own.yaml", "published", "--json")
    #expect(card.code == 0 && card.output.contains("\"CT-MR\""), "\(card.errors)")
    let again = try site.run(arguments: add)
    #expect(again.code == 69 && again.errors.contains("already in"))
    let less = try site.run("model", "import", "-c", "own.yaml", "less.pkl", "--name", "less")
    #expect(less.code == 69 && less.errors.contains("encoder.rb1.mlp.bias"), "\(less.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: models).sorted()
    #expect(names == ["published.json", "published.safetensors"])
  }

  @Test func `the shipped model's card is for people, and as it is for programs`() throws {
    let site = try Site()
    let shown = try site.run("model", "show", "pet-mr")
    #expect(shown.code == 0, "\(shown.errors)")
    let lines = shown.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 120 && !$0.hasSuffix(" ") })
    for label in ["answers to", "SHA-256", "trained on", "licence", "recipe", "numbers", "limits"] {
      #expect(lines.contains { $0.hasPrefix(label + " ") }, "\(label)")
    }
    #expect(lines.contains { $0.contains("published   PET") && $0.contains(" → ") })
    let card = try site.run("model", "show", "pet-mr", "--json")
    let json = try JSONSerialization.jsonObject(with: Data(card.output.utf8)) as? [String: Any]
    #expect(json?["sha256"] as? String != nil && json?["numbers"] != nil)
  }

  @Test func `a checkpoint that would run code is refused, and so is an unusable name`() throws {
    let site = try Site()
    let files = Site.root.appendingPathComponent("Tests/CheckpointsTests/Files").path
    let hostile = try site.run("model", "import", files + "/hostile.pt", "--name", "x", "--into", site.folder)
    #expect(hostile.code == 65 && hostile.errors.contains("posix.system"), "\(hostile.errors)")
    let name = try site.run("model", "import", files + "/plain.pt", "--name", "../x", "--into", site.folder)
    #expect(name.code == 69 && name.errors.contains("no name"), "\(name.errors)")
    let absent = try site.run("model", "import", "none.pkl", "--name", "x", "--into", site.folder)
    #expect(absent.code == 66, "\(absent.errors)")
  }
}
