// Codes, numbers and times of the ledger as people say them.

internal import Foundation
internal import Imaging
internal import Provenance

enum Words {
  /// Why a deformation was not used.
  static func refusal(_ code: String) -> String {
    switch AlignmentAcceptance.Reason(rawValue: code) {
    case .folding: "the deformation would have folded the image"
    case .similarityFell: "the two images would have had less in common with it"
    case .noOverlap: "the moving series covers too little of the slice to judge it"
    case .noContrast: "one of the images is constant where the moving series has data; the other one is shown"
    case .notFinite: "the network's answer was not a number"
    case nil: code.replacingOccurrences(of: "_", with: " ")
    }
  }

  static func state(_ state: JobState) -> String {
    switch state {
    case .pending: "waiting"
    case .running: "under way"
    case .done: "done"
    case .failed: "failed"
    case .rejected: "refused"
    case .superseded: "replaced by a later job"
    }
  }

  /// `2 July 2026, 02:00:12 UTC`-like, from the ledger's text; the text itself where it is something else.
  static func time(_ text: String?) -> String? {
    guard let text else { return nil }
    guard text.count >= 19, text.hasSuffix("Z") else { return HTML.text(text) }
    let readable = text.prefix(10) + " " + text.dropFirst(11).prefix(8) + " UTC"
    return "<time datetime=\"\(HTML.text(text))\">\(HTML.text(String(readable)))</time>"
  }

  /// A DICOM date (DA) as ISO 8601.
  static func date(_ text: String?) -> String? {
    guard let text, text.count == 8, text.allSatisfy(\.isNumber) else { return text.map(HTML.text) }
    return "\(text.prefix(4))-\(text.dropFirst(4).prefix(2))-\(text.suffix(2))"
  }

  static func number(_ value: Double?, _ digits: Int = 2, _ unit: String = "") -> String {
    guard let value, value.isFinite else { return "–" }
    return String(format: "%.\(digits)f", value) + (unit.isEmpty ? "" : " \(unit)")
  }

  static func duration(_ seconds: Double?) -> String? {
    guard let seconds else { return nil }
    if seconds < 60 { return number(seconds, 1, "s") }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
  }

  /// Slices as people count them, from 1: `3`, `5–8`.
  static func ranges(_ indices: [Int]) -> String {
    var parts: [ClosedRange<Int>] = []
    for index in indices.sorted() {
      if let last = parts.last, last.upperBound == index - 1 {
        parts[parts.count - 1] = last.lowerBound...index
      } else {
        parts.append(index...index)
      }
    }
    return parts.map { $0.count == 1 ? "\($0.lowerBound + 1)" : "\($0.lowerBound + 1)–\($0.upperBound + 1)" }
      .joined(separator: ", ")
  }

  /// Leaves of a recorded JSON document as rows of name and value, whatever it holds.
  static func leaves(_ document: JSONDocument?) -> [(String, String)] {
    guard let value = try? document?.decode(JSONValue.self) else { return [] }
    var rows: [(String, String)] = []
    collect(value, "", &rows)
    return rows
  }

  private static func collect(_ value: JSONValue, _ name: String, _ rows: inout [(String, String)]) {
    switch value {
    case .object(let members):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        let plain = key.replacingOccurrences(of: "_", with: " ")
        collect(member, name.isEmpty ? plain : "\(name) \(plain)", &rows)
      }
    case .null: break
    case .array(let values) where values.isEmpty: break
    case .array(let values): rows.append((name, values.map(plain).joined(separator: ", ")))
    default: rows.append((name, plain(value)))
    }
  }

  private static func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .bool(let value): value ? "yes" : "no"
    case .number(let value): String(format: "%.6g", value)
    default: value.canonicalText
    }
  }
}
