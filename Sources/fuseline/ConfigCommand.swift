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
    let (yaml, file) = try source()
    return try Settings(yaml: yaml, file: file)
  }

  /// The configuration's text, empty for the built-in default, and the file it is taken from or stands for.
  func source() throws -> (yaml: String, file: String) {
    if let path = config ?? ProcessInfo.processInfo.environment["FUSELINE_CONFIG"] {
      return (try Settings.text(contentsOf: path), path)
    }
    let local = FileManager.default.currentDirectoryPath + "/pipeline.yaml"
    guard FileManager.default.fileExists(atPath: local) else { return ("", local) }
    return (try Settings.text(contentsOf: local), local)
  }
}

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check, show or print the configuration.",
    discussion: "Example: fuseline config default > pipeline.yaml",
    subcommands: [Check.self, Show.self, Default.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
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
      commandName: "show",
      abstract:
        "Print the effective settings, as a pipeline.yaml with all of them, and the digest of what shapes outputs.",
      discussion: "Example: fuseline config show --json")
    @OptionGroup var options: ConfigurationOption
    @Flag(help: "Print JSON.") var json = false

    struct Effective: Encodable {
      let settings: Settings
      let digest: String
    }

    func run() throws {
      let (yaml, file) = try options.source()
      let settings = try Settings(yaml: yaml, file: file)
      if json { return try Console.printJSON(Effective(settings: settings, digest: settings.digest)) }
      print("# digest of what shapes outputs: \(settings.digest)")
      print(try Settings.effectiveText(yaml: yaml, file: file), terminator: "")
    }
  }

  struct Default: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "default", abstract: "Print the commented default configuration.",
      discussion: "Example: fuseline config default > pipeline.yaml")

    func run() { print(Settings.defaultText, terminator: "") }
  }
}
