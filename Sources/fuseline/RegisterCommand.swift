// `fuseline register`: the rigid transform between two series, and whether it can be trusted.

import ArgumentParser
import Foundation
import Pipeline
import Registration

struct RegisterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register", abstract: "Find how one series lies to another, from their voxels alone.",
    discussion: """
      Prints the transform from the fixed to the moving series and what speaks for it. Fuses and writes nothing. Ends with 1
      where the result cannot be trusted.

      Example: fuseline register mr/ ct/
      """)

  @Argument(help: "Folder (or file) of the series that stays.") var fixed: String
  @Argument(help: "Folder (or file) of the series that is brought to it.") var moving: String
  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let report = try AdHocRegistration(settings: options.settings()).register(fixed: fixed, moving: moving)
    if json { try Console.printJSON(report) } else { show(report) }
    if !report.verdict.accepted { throw ExitStatus(code: ExitStatus.someFailed) }
  }

  private func show(_ report: RegistrationReport) {
    let evidence = report.evidence
    print(
      "\(report.moving.modality) to \(report.fixed.modality), positions of the fixed series to the moving one's, mm:"
    )
    for row in 0..<4 {
      let numbers = report.matrix[4 * row..<4 * row + 4].map { String(format: "%12.6f", $0) }
      print("  " + numbers.joined())
    }
    print(
      String(
        format: "turned %.1f degrees, shifted %.1f mm from the headers; overlap %.0f %%", evidence.turn,
        evidence.shift,
        100 * evidence.overlap))
    print(
      String(
        format: "normalised mutual information %.4f before, %.4f after, %.1f deviations above random poses",
        evidence.before,
        evidence.after, evidence.significance))
    if let residual = evidence.residual, let misfit = evidence.misfit {
      print(String(format: "parts of the body still disagree by %.1f mm, misfit %.3f", residual, misfit))
    }
    print(report.verdict.accepted ? "trusted" : "not trusted: \(report.verdict.sentence ?? "")")
    print("took \(seconds(report.seconds))")
  }
}
