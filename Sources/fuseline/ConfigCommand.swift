// `fuseline config`: check, show and print configuration.

import ArgumentParser
import Foundation
import Pipeline

/// `-c FILE`, then FUSELINE_CONFIG, then pipeline.yaml in the working folder, then the built-in default.
struct ConfigurationOption: ParsableArguments {
  @Option(
    name: [.customShort("c"), .customLong("config")], help: "Configuration file (default: pipeline.yaml).")
  var config: String?

  func settings() throws -> Settings {
    if let path = config ?? ProcessInfo.processInfo.environment["FUSELINE_CONFIG"] {
      return try Settings(contentsOf: path)
    }
    let local = FileManager.default.currentDirectoryPath + "/pipeline.yaml"
    if FileManager.default.fileExists(atPath: local) { return try Settings(contentsOf: local) }
    return try Settings(yaml: "", file: local)
  }
}

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check, show or print the configuration.",
    discussion: "Example: fuseline config default > pipeline.yaml",
    subcommands: [Check.self, Show.self, Default.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Validate a configuration; exit code 78 and the place of the mistake if there is one.",
      discussion: "Example: fuseline config check -c /etc/fuseline/pipeline.yaml")
    @OptionGroup var options: ConfigurationOption
    @Flag(help: "Print JSON.") var json = false

    struct Verdict: Encodable {
      let valid: Bool
      let digest: String
    }

    func run() throws {
      let settings = try options.settings()
      if json { return try Console.printJSON(Verdict(valid: true, digest: settings.digest)) }
      print("The configuration is valid (digest \(settings.digest.prefix(12))).")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the effective settings and the digest of what shapes outputs.",
      discussion: "Example: fuseline config show --json")
    @OptionGroup var options: ConfigurationOption
    @Flag(help: "Print JSON.") var json = false

    struct Effective: Encodable {
      let settings: Settings
      let digest: String
    }

    func run() throws {
      let settings = try options.settings()
      if json { return try Console.printJSON(Effective(settings: settings, digest: settings.digest)) }
      print("# digest of what shapes outputs: \(settings.digest)")
      print(try settings.yaml(), terminator: "")
    }
  }

  struct Default: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the commented default configuration.",
      discussion: "Example: fuseline config default > pipeline.yaml")

    func run() { print(Settings.defaultText, terminator: "") }
  }
}
