// `fuseline audit reproduce`: proof that an output follows from its inputs, by making it again.

import ArgumentParser
import Foundation
import Pipeline

extension AuditCommand {
  struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reproduce",
      abstract:
        "Make one output anew from the stored inputs and recorded settings, and compare. Writes nothing.",
      discussion: """
        Exit code 0 when the bytes are identical, 1 when they are not.

        Example: fuseline audit reproduce 2.25.1234
        """)
    @OptionGroup var configuration: ConfigurationOption
    @Flag(help: "Print JSON.") var json = false
    @Argument(help: "SOP Instance UID of an output.") var uid: String

    func run() throws {
      let result = try Reproducer(settings: configuration.settings(), software: .this).reproduce(uid)
      if json { try Console.printJSON(result) } else { show(result) }
      if !result.isIdentical { throw ExitStatus(code: ExitStatus.someFailed) }
    }

    private func show(_ result: Reproduction) {
      if result.isIdentical { return print("identical, byte for byte (SHA-256 \(result.sha256))") }
      let difference =
        result.largestDifference.map { "\($0) grey levels at most" } ?? "the published file is missing"
      print("not identical: \(difference)")
      print("then: \(result.recordedSoftware)")
      print("now:  \(result.software)")
    }
  }
}
