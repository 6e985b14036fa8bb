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

  /// A cell as it is shown, and the columns it takes.
  private struct Cell {
    var text: String
    var width: Int

    init(_ text: String) {
      let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
      self.text = isPlain ? text : TextTable.printable(text)
      width = isPlain ? text.utf8.count : TextTable.width(self.text)
    }
  }

  private let titles: [Cell]
  private let cells: [[Cell]]
  private let kinds: [Kind]
  /// The last column, where it has sentences.
  private let sentences: Int?

  public init(_ listing: Listing) {
    titles = listing.columns.map(Cell.init)
    cells = listing.rows.map { $0.map { Cell(Self.text($0)) } }
    kinds = listing.columns.indices.map { column in Self.kind(listing.rows, column) }
    sentences = listing.columns.last == "sentence" ? listing.columns.count - 1 : nil
  }

  /// The table, each line ended by a line feed; a line is no longer than `width` where the narrowest cells allow.
  /// - Parameter width: columns of the terminal; nil cuts nothing.
  public func render(width: Int?) -> String {
    let widths = fit(width)
    var text = ""
    for row in [titles] + cells {
      for line in wrapped(row, widths) { write(line, widths, to: &text) }
    }
    return text
  }

  /// The row, and below it rows with nothing but what else its sentence says.
  private func wrapped(_ row: [Cell], _ widths: [Int]) -> [[Cell]] {
    guard let sentences, row[sentences].width > widths[sentences] else { return [row] }
    var lines: [Cell] = []
    for word in row[sentences].text.split(separator: " ").map({ Cell(String($0)) }) {
      if let last = lines.last, last.width + 1 + word.width <= widths[sentences] {
        lines[lines.count - 1] = Cell(last.text + " " + word.text)
      } else {
        lines.append(word)
      }
    }
    let first = row.dropLast() + lines.prefix(1)
    let blank = [Cell](repeating: Cell(""), count: row.count - 1)
    return [Array(first)] + lines.dropFirst().map { blank + [$0] }
  }

  private func write(_ row: [Cell], _ widths: [Int], to text: inout String) {
    // Blanks are held back until something follows them.
    var blanks = 0
    for column in row.indices {
      let cell = cut(row[column], to: widths[column], kinds[column])
      let space = max(0, widths[column] - cell.width)
      if kinds[column] == .number { blanks += space }
      let ended = cell.text.utf8.last == UInt8(ascii: " ") ? Cell(Self.trimmed(cell.text)) : cell
      if !ended.text.isEmpty {
        text.append(String(repeating: " ", count: blanks))
        text.append(ended.text)
        blanks = 0
      }
      blanks += cell.width - ended.width + Self.gap.count
      if kinds[column] != .number { blanks += space }
    }
    text.append("\n")
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }

  /// Column widths: the natural ones, with the widest that may be cut taken down until the line fits.
  private func fit(_ width: Int?) -> [Int] {
    var widths = titles.indices.map { column in
      cells.reduce(titles[column].width) { max($0, $1[column].width) }
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

  private func cut(_ cell: Cell, to width: Int, _ kind: Kind) -> Cell {
    guard cell.width > width else { return cell }
    if kind == .identifier {
      let front = (width - 1) / 2
      return Cell(String(cell.text.prefix(front)) + "…" + String(cell.text.suffix(width - 1 - front)))
    }
    var text = ""
    for character in cell.text where Self.width(text) + Self.width(String(character)) < width {
      text.append(character)
    }
    return Cell(text + "…")
  }

  // MARK: Cells

  private static func kind(_ rows: [[JSONValue]], _ column: Int) -> Kind {
    var isPresent = false
    var possible: Set<Kind> = [.number, .time, .identifier]
    for row in rows where row[column] != .null && !possible.isEmpty {
      isPresent = true
      switch row[column] {
      case .integer, .number: break
      default: possible.remove(.number)
      }
      let text = Listing.plain(row[column])
      if !isTime(text) { possible.remove(.time) }
      if !text.utf8.allSatisfy(isDigit) { possible.remove(.identifier) }
    }
    guard isPresent else { return .text }
    return [.number, .time, .identifier].first(where: possible.contains) ?? .text
  }

  /// Of a UID or a digest.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == UInt8(ascii: ".")
  }

  /// Looks it like a time of the ledger?
  private static func isTime(_ text: String) -> Bool {
    let utf8 = text.utf8
    guard utf8.count == 24 || utf8.count == 20 else { return false }
    return zip(utf8, "0000-00-00T00:00:00".utf8).allSatisfy { byte, form in
      form == UInt8(ascii: "0") ? (0x30...0x39).contains(byte) : byte == form
    } && utf8.last == UInt8(ascii: "Z")
  }

  /// Three digits after the point say enough on a screen, but for what would look like nothing then; times lose their
  /// milliseconds.
  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: return "–"
    case .bool(let value): return value ? "yes" : "no"
    case .number(let value):
      return String(format: value != 0 && abs(value) < 0.0005 ? "%.3g" : "%.3f", value)
    case .string(let text):
      return text.utf8.count == 24 && isTime(text) ? text.prefix(19) + "Z" : text
    case .array(let items): return items.map(Listing.plain).joined(separator: ", ")
    default: return Listing.plain(value)
    }
  }

  /// Control characters of a file's text must not reach the terminal.
  private static func printable(_ text: String) -> String {
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
