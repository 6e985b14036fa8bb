// `fuseline plan`: what a run would do, and the reason for everything it would leave out.

import ArgumentParser
import Foundation
import Imaging
import Pipeline

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what a run would do, and why the rest is left out. Writes nothing.",
    discussion: """
      Without a PATH it looks at the drop folder and the store; with PATHs at those files and folders alone.

      Example: fuseline plan /mnt/export/study42
      """)

  @OptionGroup var options: ConfigurationOption
  @Argument(help: "Files or folders to plan over.") var paths: [String] = []
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let report = try Planner(settings: options.settings()).plan(paths: paths)
    if json { return try Console.printJSON(report) }
    PlanText(report).print()
  }
}

/// A plan for a person.
struct PlanText {
  let report: PlanReport

  init(_ report: PlanReport) { self.report = report }

  func print() {
    let files = report.instances
    Swift.print(
      "files      \(files.accepted) to take in, \(files.duplicate) duplicate, \(files.skipped) to skip, "
        + "\(files.rejected) to refuse")
    for file in report.files {
      Swift.print("\(padded(file.outcome))\(file.path): \(file.reason.sentence) [\(file.reason.code)]")
    }
    for pair in report.pairs { show(pair) }
    for pair in report.rejected {
      Swift.print(
        "refuse     \(pair.rule) \(pair.fixed) with \(pair.moving): \(pair.reason.sentence) [\(pair.reason.code)]"
      )
    }
    for left in report.leftOut {
      Swift.print(
        "leave out  \(left.modality)\(quoted(left.description)), \(left.images) images, \(left.series): "
          + "\(left.reason.sentence) [\(left.reason.code)]")
    }
  }

  private func show(_ pair: PlanReport.PlannedPair) {
    let verb = pair.done ? "done" : "fuse"
    Swift.print(
      "\(padded(verb))\(pair.rule): \(pair.outputs) slices with model \(pair.model), study \(pair.study)")
    show("fixed", pair.fixed)
    show("moving", pair.moving)
    Swift.print("           placed by \(words(pair.registration))\(covers(pair.overlap))")
  }

  private func show(_ role: String, _ side: PlanReport.Side) {
    let spacing =
      side.spacing.map { ", every " + $0.formatted(.number.precision(.fractionLength(0...2))) + " mm" } ?? ""
    Swift.print(
      "           \(role) \(side.modality)\(quoted(side.description)): \(side.slices) slices\(spacing), \(side.unit ?? "")"
    )
    for note in side.notes { Swift.print("             note: \(note)") }
  }

  private func words(_ registration: AppliedRegistration) -> String {
    switch registration.kind {
    case .sameFrame: "the common frame of reference"
    case .registrationObject: "registration \(registration.objects?.joined(separator: ", ") ?? "")"
    case .rigid: "registering the voxels, for their frames of reference differ"
    case .none: "positions alone, which the settings trust"
    }
  }

  private func covers(_ overlap: Overlap?) -> String {
    guard let overlap else { return "" }
    let share = overlap.fraction.formatted(.percent.precision(.fractionLength(0)))
    return ", covers \(overlap.slices) slices and \(share) of the field of view"
  }

  private func quoted(_ text: String?) -> String { text.map { " “\($0)”" } ?? "" }
  private func padded(_ text: String) -> String { text.padding(toLength: 11, withPad: " ", startingAt: 0) }
}
