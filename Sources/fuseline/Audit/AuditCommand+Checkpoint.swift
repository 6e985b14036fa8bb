// `fuseline audit checkpoint`: a signed statement about the end of the chain, to be kept elsewhere.

import ArgumentParser
import Foundation
import Pipeline
import Provenance

extension AuditCommand {
  struct Sign: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "checkpoint", abstract: "Sign the end of the chain and print the checkpoint as JSON.",
      discussion: """
        Keep the copy where whoever may edit the ledger cannot reach it; `audit verify --known FILE` compares.
        Example: fuseline audit checkpoint > checkpoint.json
        """)
    @OptionGroup var configuration: ConfigurationOption
    @Option(
      help: "File of the signing key, made when it is not there (default: checkpoint_key of the settings).")
    var key: String?

    func run() throws {
      let settings = try configuration.settings()
      guard let key = key ?? settings.checkpointKey else {
        throw ExitStatus(
          code: ExitStatus.configuration,
          sentence: "no key: name one with --key, or as checkpoint_key in the settings")
      }
      let path = settings.ledger
      guard FileManager.default.fileExists(atPath: path) else {
        throw ExitStatus(
          code: ExitStatus.missingInput, sentence: "\(path): there is no ledger yet, run once first")
      }
      let ledger = try Ledger.open(path: path, check: false)
      try Console.printJSON(ledger.makeCheckpoint(key: .load(orCreate: key)))
    }
  }
}

extension Checkpoint {
  /// - Throws: `ExitStatus` where the file is missing or something else.
  init(file: String) throws {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ExitStatus(code: ExitStatus.missingInput, sentence: "\(file): there is no such file")
    }
    guard let checkpoint = try? JSONDecoder().decode(Checkpoint.self, from: data) else {
      throw ExitStatus(
        code: ExitStatus.badData,
        sentence: "\(file): this is not a checkpoint as `audit checkpoint` prints it")
    }
    self = checkpoint
  }
}
