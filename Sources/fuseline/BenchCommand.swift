// `fuseline bench`: this machine's numbers.

public import ArgumentParser
import Foundation
public import Pipeline

extension Bench.Part: ExpressibleByArgument {}

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Numbers of this machine: engine, resampling, files, a whole study.",
    discussion: """
      Works on made-up images in a temporary folder; touches neither drop folder nor ledger. Processor time is the
      honest number where other programs run too.

      Example: fuseline bench engine engines study
      """)

  @Argument(
    help:
      "What to measure (default: everything): \(Bench.Part.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var parts: [Bench.Part] = []
  @Option(help: "Name of a model, or a weights file.") var model = "ct-mr"
  @Option(help: "Seconds of a window.") var seconds = 1.0
  @Option(help: "Windows of each part.") var windows = 3
  @Option(help: "Slices of the synthetic study.") var slices = 24
  @Option(help: "Decode the DICOM files of this folder instead of synthetic ones.") var files: String?
  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard seconds > 0, windows > 0, slices > 0 else {
      throw ValidationError("--seconds, --windows and --slices are greater than zero")
    }
  }

  func run() async throws {
    let bench = Bench(
      settings: try options.settings(), model: model, seconds: seconds, windows: windows, slices: slices,
      files: files, software: .this)
    let report = try await bench.run(parts.isEmpty ? Bench.Part.allCases : parts)
    if json { try Console.printJSON(report) } else { BenchText(report).print() }
  }
}

/// The numbers for a person.
struct BenchText {
  let report: BenchReport

  init(_ report: BenchReport) { self.report = report }

  func print() {
    let machine = report.machine
    Swift.print(
      "machine     \(machine.processor), \(machine.cores) cores, \(machine.instructions), load \(machine.load.formatted())"
    )
    for part in report.parts {
      let name = part.name.padding(toLength: 11, withPad: " ", startingAt: 0)
      let rate =
        part.workers > 1
        ? ", \((1 / part.median.wall).formatted(.number.precision(.significantDigits(3)))) per second on \(part.workers) cores"
        : ""
      Swift.print(
        "\(name) \(time(part.median.cpu)) processor time (\(part.cpuRange.map(time).joined(separator: " – "))), \(time(part.median.wall)) a \(part.piece)\(rate)"
      )
    }
    if let study = report.study { printStudy(study) }
    Swift.print("memory      \(report.peakBytes / 1_000_000) MB at most")
  }

  private func printStudy(_ study: StudyBench.Result) {
    Swift.print(
      "study       \(study.slices) slices (\(study.undeformed) undeformed) in \(time(study.run.wall)) on \(study.workers) cores, "
        + "\(time(study.run.cpu)) processor time; \((study.around * 100).formatted(.number.precision(.fractionLength(1)))) % of it around the network"
    )
    for stage in study.stages { Swift.print("            \(time(stage.cpu)) \(stage.name)") }
  }

  private func time(_ value: Double) -> String {
    value < 1 ? (value * 1000).formatted(.number.precision(.significantDigits(3))) + " ms" : seconds(value)
  }
}
