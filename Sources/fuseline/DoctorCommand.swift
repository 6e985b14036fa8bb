// `fuseline doctor`: is this machine ready?

import ArgumentParser
import Pipeline

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Is this machine ready? Folders, space, dictionary, arithmetic, models, ledger, clock.",
    discussion: "Example: fuseline doctor -c /etc/fuseline/pipeline.yaml")

  @OptionGroup var options: ConfigurationOption
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let findings = Doctor(settings: try options.settings()).examine()
    if json {
      try Console.printJSON(["checks": findings])
    } else {
      for finding in findings {
        print("\(finding.ok ? "ok  " : "FAIL")  \(finding.check): \(finding.detail)")
      }
    }
    if findings.contains(where: { !$0.ok }) { throw ExitStatus(code: ExitStatus.unavailable) }
  }
}
