// `fuseline fuse`: two folders of DICOM slices in, a folder of derived images out, without a ledger.

import ArgumentParser
import Foundation
import Pipeline

struct FuseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuse", abstract: "Fuse two series at once, without drop folder and ledger.",
    discussion: "Example: fuseline fuse mr/ ct/ -o fused/")

  @Argument(help: "Folder (or file) of the series that keeps its grid.") var fixed: String
  @Argument(help: "Folder (or file) of the series that is aligned to it.") var moving: String
  @Option(name: .shortAndLong, help: "Folder for the derived images; created if it is not there.") var output:
    String
  @Option(help: "Name of a model, or a weights file (default: the pairing rule's).") var model: String?
  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let bar = ProgressBar()
    let adHoc = try AdHocFusion(
      settings: options.settings(), model: model, software: .this, progress: bar.show)
    let report = try await adHoc.fuse(fixed: fixed, moving: moving, into: output)
    if json { return try Console.printJSON(report) }
    for note in report.notes { print("note: \(note)") }
    print(
      "\(report.outputs) slices fused (\(report.undeformed) undeformed) in \(seconds(report.seconds)): \(report.folder)"
    )
  }
}

/// Seconds for people: two digits that matter.
func seconds(_ value: Double) -> String {
  value.formatted(.number.precision(.significantDigits(2...3))) + " s"
}
