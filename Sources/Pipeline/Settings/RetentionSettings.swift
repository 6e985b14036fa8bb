// What is removed or written out once it is old enough; by default nothing is.

public struct RetentionSettings: Codable, Hashable, Sendable {
  /// Seconds after which stored images of proven outputs are removed; nil keeps them.
  public var sources: Double?
  /// Seconds after which events are exported; nil exports none.
  public var events: Double?
  /// Folder the events are exported to.
  public var exportTo: String
}

extension RetentionSettings {
  /// Ages are whole days at least: what came in last night is never let go.
  private static let shortest = 86_400.0

  init(_ section: YAMLSection, absolute: (String) -> String) throws {
    try section.allow(["sources", "events", "export_to"])
    func age(_ key: String) throws -> Double? {
      try section.string(key) == "never" ? nil : section.duration(key, atLeast: Self.shortest)
    }
    sources = try age("sources")
    events = try age("events")
    exportTo = absolute(try section.string("export_to"))
  }
}
