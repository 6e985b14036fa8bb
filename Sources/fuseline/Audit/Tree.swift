// Nested answers as two columns, path and value, so that a person can read them without JSON.

import Foundation
import Provenance

enum Tree {
  /// Every leaf of a value's JSON under its dotted path, in the order of the paths.
  static func listing(_ value: some Encodable) throws -> Listing {
    let document = try JSONValue(encoding: value)
    var rows: [[JSONValue]] = []
    collect(document, path: "", into: &rows)
    return Listing(columns: ["what", "value"], rows: rows)
  }

  private static func collect(_ value: JSONValue, path: String, into rows: inout [[JSONValue]]) {
    switch value {
    case .object(let members):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        collect(member, path: path.isEmpty ? key : "\(path).\(key)", into: &rows)
      }
    case .array(let items):
      for (index, item) in items.enumerated() { collect(item, path: "\(path)[\(index)]", into: &rows) }
    case .null: break
    default: rows.append([.string(path), value])
    }
  }
}

extension Listing {
  /// The rows as JSON objects.
  var records: [[String: JSONValue]] {
    rows.map { row in Dictionary(zip(columns, row)) { first, _ in first } }
  }
}
