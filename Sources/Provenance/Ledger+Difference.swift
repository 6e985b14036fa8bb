// What differs between two jobs: of the same pair before and after a new model, for instance.

internal import Foundation
internal import GRDB

extension Ledger {
  /// One row per recorded value in which two jobs differ: its name and both values. Times, counters and row ids
  /// are left out; slices are compared by their index.
  /// - Throws: `LedgerError.Reason.notFound`.
  public func difference(_ first: Int64, _ second: Int64, redact: Bool = false) throws -> Listing {
    let left = try facts(job(first, redact: redact))
    let right = try facts(job(second, redact: redact))
    let names = Set(left.keys).union(right.keys).sorted { a, b in
      a.compare(b, options: .numeric) == .orderedAscending
    }
    let rows = names.filter { left[$0] != right[$0] }.map { name in
      [JSONValue.string(name), left[name] ?? .null, right[name] ?? .null]
    }
    return Listing(columns: ["what", "job \(first)", "job \(second)"], rows: rows)
  }

  private func facts(_ detail: JobDetail) throws -> [String: JSONValue] {
    let unrelated = [
      "job", "pair", "run", "opened", "started", "finished", "seconds", "superseded_by", "attempts",
    ]
    var facts: [String: JSONValue] = [:]
    if case .object(let job) = try JSONValue(encoding: detail.job) {
      for (name, value) in job where !unrelated.contains(name) { facts[name] = value }
    }
    Self.flatten(try JSONValue(encoding: detail.normalization), "normalization", &facts)
    if let registration = detail.registration { Self.flatten(try registration.value, "registration", &facts) }
    if let details = detail.details { Self.flatten(try details.value, "details", &facts) }
    let settings = try read {
      try String.fetchOne(
        $0, sql: "SELECT text FROM settings WHERE sha256 = ?", arguments: [detail.job.settingsSHA256])
    }
    if let values = settings.flatMap(JSONValue.init(parsing:)) { Self.flatten(values, "settings", &facts) }
    facts["interpolation"] = JSONValue(detail.interpolation)
    for output in detail.outputs {
      guard case .object(let slice) = try JSONValue(encoding: output) else { continue }
      for name in [
        "sop", "sha256", "accepted", "reason", "deformation_mean", "deformation_max", "similarity_after",
      ] {
        facts["slice \(output.slice) \(name)"] = slice[name]
      }
    }
    return facts
  }

  private static func flatten(_ value: JSONValue, _ name: String, _ facts: inout [String: JSONValue]) {
    guard case .object(let members) = value else {
      facts[name] = value
      return
    }
    for (key, member) in members { flatten(member, "\(name) \(key)", &facts) }
  }
}
