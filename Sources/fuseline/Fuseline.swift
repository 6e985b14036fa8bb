// The program's entry: its subcommands, and how an error becomes a sentence and an exit code. No logic.

import ArgumentParser
import Foundation
import Pipeline
import Tensors

@main
struct Fuseline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuseline",
    abstract:
      "Fuses the modalities of each patient's study: DICOM in, aligned and fused Secondary Captures out.",
    discussion: """
      Not a medical device. Fused images are not for primary diagnosis.

      Example: put DICOM files into inbox/, then
        fuseline plan        shows what would be done, and why the rest would not
        fuseline run         does it; the result is in output/
        fuseline audit jobs  says what was done
      """,
    version: VersionText.text,
    subcommands: [
      RunCommand.self, WatchCommand.self, PlanCommand.self, ExplainCommand.self, FuseCommand.self,
      RegisterCommand.self, AuditCommand.self, ReportCommand.self,
      ModelCommand.self, ConfigCommand.self, DoctorCommand.self, RetryCommand.self, RetainCommand.self,
      StatusCommand.self,
      WorkCommand.self, BenchCommand.self,
    ])

  static func main() async {
    // The daemon ends in order whenever it is told to, also while it starts. Other commands end at once.
    if CommandLine.arguments.dropFirst().first == WatchCommand.configuration.commandName {
      StopSignal.listen()
    }
    umask(0o027)
    Machine.reuseFreedMemory()
    var command: any ParsableCommand
    do { command = try parseAsRoot() } catch { exit(withError: error) }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      leave(with: error)
    }
  }

  private static func leave(with error: any Error) -> Never {
    // Help and wrong usage are the argument parser's own; everything it does not know it calls a failure.
    if exitCode(for: error) != .failure { exit(withError: error) }
    let status = ExitStatus(error)
    if let sentence = status.sentence { Console.complain(sentence) }
    Foundation.exit(status.code)
  }
}
