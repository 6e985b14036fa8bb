// `fuseline model import`: a checkpoint of the published network becomes a model that can be named.

import ArgumentParser
import Foundation
import Pipeline

extension ModelCommand {
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import", abstract: "Make a model of a PyTorch checkpoint; nothing in it is run.",
      discussion: """
        Takes the file that the published training writes: a dictionary with encoder, transfer, reg_net and \
        fusion_net state dictionaries. Parts of a split checkpoint must be joined first (cat).

        Example: fuseline model import BSAFusion_CT.pkl --name ct-mr-published --pair CT-MR
        """)
    @OptionGroup var options: ConfigurationOption
    @Argument(help: "The checkpoint, written by torch.save (1.6 or newer).") var checkpoint: String
    @Option(help: "What to call the model; configurations say model: NAME.") var name: String
    @Option(help: "Modality pair it was made for, for its card; may be given several times.")
    var pair: [String] = []
    @Option(help: "Folder to put it in (default: the folder of models).") var into: String?

    func run() throws {
      let folder = try into ?? ModelLibrary(folder: options.settings().models).folder
      let model = try ModelImport(folder: folder).add(checkpoint: checkpoint, name: name, pairs: pair)
      print("\(model.card.name): \(model.card.parameters) parameters")
      print("  \(model.path)")
      print("  SHA-256 \(model.card.sha256)")
    }
  }
}
