// `fuseline model`: the networks there are, and running one on bare images.

import ArgumentParser
import Foundation
import Pipeline

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "List, show, apply and import models.",
    discussion: "Example: fuseline model list", subcommands: [List.self, Show.self, Apply.self, Import.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The models that can be used.",
      discussion: "Example: fuseline model list --json")
    @OptionGroup var options: ConfigurationOption
    @Flag(help: "Print JSON.") var json = false

    struct Listed: Encodable {
      let name: String
      let names: [String]
      let pairs: [String]
      let path: String
      let sha256: String
      let parameters: Int
      let provisional: Bool
    }

    func run() throws {
      let library = try ModelLibrary(folder: options.settings().models)
      let models = library.models.map {
        Listed(
          name: $0.card.name, names: $0.card.names, pairs: $0.card.pairs, path: $0.path,
          sha256: $0.card.sha256,
          parameters: $0.card.parameters, provisional: $0.card.provisional ?? false)
      }
      if json { return try Console.printJSON(["models": models]) }
      for model in models {
        let note = model.provisional ? ", provisional" : ""
        print(
          "\(model.name): answers to \((model.names.isEmpty ? [model.name] : model.names).joined(separator: ", ")); "
            + "\(model.parameters) parameters\(note)"
        )
        print("  \(model.path)")
        print("  SHA-256 \(model.sha256)")
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "The card of one model, after checking its weights.",
      discussion: "Example: fuseline model show ct-mr")
    @OptionGroup var options: ConfigurationOption
    @Argument(help: "Name of the model.") var name: String
    @Flag(help: "Print the card as it is, JSON.") var json = false

    func run() throws {
      let library = try ModelLibrary(folder: options.settings().models)
      let model = try library.model(named: name)
      _ = try ModelLibrary.load(model)
      let path = ((model.path as NSString).deletingPathExtension) + ".json"
      let card = try Data(contentsOf: URL(fileURLWithPath: path))
      let text =
        json
        ? String(decoding: card, as: UTF8.self)
        : try ModelCardText(model, card: card, width: min(Console.outputWidth, 120)).text
      print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
      Console.say("digest, names and shapes of the weights are as they should be")
    }
  }

  struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply", abstract: "Run the network on two bare images, PNG or safetensors.",
      discussion:
        "Example: fuseline model apply --model pet-mr --fixed mr.png --moving pet.png --output fused.png")
    @OptionGroup var options: ConfigurationOption
    @Option(help: "Name of a model, or a safetensors file of weights.") var model: String
    @Option(help: "The image that keeps its grid.") var fixed: String
    @Option(help: "The image that is aligned to it; RGB keeps its colour.") var moving: String
    @Option(help: "Result: .png or .safetensors.") var output: String
    @Option(
      help:
        "Modality of the moving image, as in its DICOM series: CT, PT, NM. Weights may damp their flows by it."
    )
    var modality: String?
    @Flag(help: "Write every intermediate as well (safetensors).") var dump = false

    func run() throws {
      // A file says all there is to know of it; a name is looked up where the configuration says.
      let folder = model.hasSuffix(".safetensors") ? nil : try options.settings().models
      try BareImages(model: model, models: folder, modality: modality)
        .fuse(fixed: fixed, moving: moving, into: output, dump: dump)
    }
  }
}
