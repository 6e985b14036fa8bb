// Who is told when something needs a person.

public struct AlertSettings: Codable, Hashable, Sendable {
  /// Program and arguments; it gets one JSON document on standard input. Empty: nobody is told.
  public var command: [String]
  /// Seconds in which one kind of alert is raised at most once.
  public var coolDown: Double
}

extension AlertSettings {
  init(_ section: YAMLSection) throws {
    try section.allow(["command", "cool_down"])
    command = try section.strings("command")
    if let program = command.first, !program.hasPrefix("/") {
      throw section.error("command", "“\(program)” must be the absolute path of a program")
    }
    coolDown = try section.duration("cool_down", atLeast: 0)
  }
}
