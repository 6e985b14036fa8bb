// A listing as lines on a terminal of a given width. Not a general layout engine: one line per row, more only for a sentence.

internal import Foundation

/// Lays a `Listing` out in columns two spaces apart.
///
/// Numbers are aligned to the right and never cut, nor are times. Where the width does not suffice, UIDs and
/// digests lose their middle first, then other texts their end; the widest gives way first. A sentence at the end of a row
/// says what to do: it goes on below itself instead.
public struct TextTable: Sendable {
  private enum Kind { case number, time, identifier, text }

  /// Cells this narrow are not cut any further.
  private static let narrowest = 9
  private static let gap = "  "

  private let titles: [String]
  private let cells: [[String]]
  private let kinds: [Kind]
  /// The last column, where it has sentences.
  private let sentences: Int?

  public init(_ listing: Listing) {
    titles = listing.columns.map(Self.printable)
    cells = listing.rows.map { $0.map(Self.text) }
    kinds = listing.columns.indices.map { column in Self.kind(listing.rows.map { $0[column] }) }
    sentences = listing.columns.last == "sentence" ? listing.columns.count - 1 : nil
  }

  /// The table, each line ended by a line feed; a line is no longer than `width` where the narrowest cells allow.
  /// - Parameter width: columns of the terminal; nil cuts nothing.
  public func render(width: Int?) -> String {
    let widths = fit(width)
    return ([titles] + cells).flatMap { wrapped($0, widths) }.map { line($0, widths) + "\n" }.joined()
  }

  /// The row, and below it rows with nothing but what else its sentence says.
  private func wrapped(_ row: [String], _ widths: [Int]) -> [[String]] {
    guard let sentences, Self.width(row[sentences]) > widths[sentences] else { return [row] }
    var lines: [String] = []
    for word in row[sentences].split(separator: " ").map(String.init) {
      if let last = lines.last, Self.width(last) + 1 + Self.width(word) <= widths[sentences] {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    let first = row.dropLast() + lines.prefix(1)
    let blank = [String](repeating: "", count: row.count - 1)
    return [Array(first)] + lines.dropFirst().map { blank + [$0] }
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    let padded = row.indices.map { column in
      let cell = cut(row[column], to: widths[column], kinds[column])
      let space = String(repeating: " ", count: max(0, widths[column] - Self.width(cell)))
      return kinds[column] == .number ? space + cell : cell + space
    }
    var text = padded.joined(separator: Self.gap)
    while text.last == " " { text.removeLast() }
    return text
  }

  /// Column widths: the natural ones, with the widest that may be cut taken down until the line fits.
  private func fit(_ width: Int?) -> [Int] {
    var widths = titles.indices.map { column in
      ([titles[column]] + cells.map { $0[column] }).map(Self.width).max() ?? 0
    }
    guard let width else { return widths }
    var excess = widths.reduce(0, +) + Self.gap.count * max(0, widths.count - 1) - width
    for kind in [Kind.identifier, .text] {
      while excess > 0 {
        let candidates = widths.indices.filter { kinds[$0] == kind && widths[$0] > Self.narrowest }
        guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
        widths[widest] -= 1
        excess -= 1
      }
    }
    return widths
  }

  private func cut(_ cell: String, to width: Int, _ kind: Kind) -> String {
    guard Self.width(cell) > width else { return cell }
    if kind == .identifier {
      let front = (width - 1) / 2
      return String(cell.prefix(front)) + "…" + String(cell.suffix(width - 1 - front))
    }
    var text = ""
    for character in cell where Self.width(text) + Self.width(String(character)) < width {
      text.append(character)
    }
    return text + "…"
  }

  // MARK: Cells

  private static func kind(_ values: [JSONValue]) -> Kind {
    let present = values.filter { $0 != .null }
    guard !present.isEmpty else { return .text }
    if present.allSatisfy({ if case .integer = $0 { true } else if case .number = $0 { true } else { false } }
    ) {
      return .number
    }
    let texts = present.map(Listing.plain)
    if texts.allSatisfy({ Timestamp.date($0) != nil }) { return .time }
    let isIdentifier = texts.allSatisfy { text in
      text.unicodeScalars.allSatisfy { "0123456789abcdef.".unicodeScalars.contains($0) }
    }
    return isIdentifier ? .identifier : .text
  }

  /// Three digits after the point say enough on a screen; times lose their milliseconds.
  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: return "–"
    case .bool(let value): return value ? "yes" : "no"
    case .number(let value): return String(format: "%.3f", value)
    case .string(let text):
      if text.utf8.count == 24, text.hasSuffix("Z"), Timestamp.date(text) != nil {
        return text.prefix(19) + "Z"
      }
      return printable(text)
    case .array(let items): return items.map { printable(Listing.plain($0)) }.joined(separator: ", ")
    default: return printable(Listing.plain(value))
    }
  }

  /// Control characters of a file's text must not reach the terminal.
  private static func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
    let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: "·"
      default: scalar
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// Columns a text takes: East Asian wide characters take two (UAX #11, the blocks that matter here).
  private static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text.utf8.count }
    return text.reduce(0) { sum, character in
      let scalar = character.unicodeScalars.first?.value ?? 0
      let wide =
        (0x1100...0x115F).contains(scalar) || (0x2E80...0xA4CF).contains(scalar)
        || (0xAC00...0xD7A3).contains(scalar) || (0xF900...0xFAFF).contains(scalar)
        || (0xFE30...0xFE6F).contains(scalar) || (0xFF00...0xFF60).contains(scalar)
        || (0x1F300...0x1FAFF).contains(scalar) || (0x20000...0x3FFFD).contains(scalar)
      return sum + (wide ? 2 : 1)
    }
  }
}
