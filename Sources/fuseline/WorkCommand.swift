// `fuseline work`: the worker that `run` and `watch` start for themselves; not for people.

import ArgumentParser
import Pipeline

struct WorkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work", abstract: "Fuse pairs handed over on standard input; started by run and watch.",
    shouldDisplay: false)

  func run() async throws { await Worker().run() }
}
