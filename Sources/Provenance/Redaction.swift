// Answers without what tells a patient: IDs, and names of dropped files, which people give after persons.

extension JobRow {
  mutating func redact() { patient = nil }
}

extension OutputRow {
  mutating func redact() { patient = nil }
}

extension FailureRow {
  mutating func redact() { patient = nil }
}

extension InputRow {
  mutating func redact() {
    patient = nil
    // What is in the store is named by UIDs; a quarantined file keeps a part of its name.
    if state != .accepted { path = nil }
  }
}

extension Lineage {
  /// The same without patient attributes.
  public var redacted: Lineage {
    switch self {
    case .output: return self
    case .input(var lineage):
      if lineage.input.state != .accepted { lineage.input.path = nil }
      return .input(lineage)
    case .group(var lineage):
      for index in lineage.jobs.indices { lineage.jobs[index].redact() }
      for index in lineage.outputs.indices { lineage.outputs[index].redact() }
      return .group(lineage)
    }
  }
}
