// Text on its way into a page: nothing from a file or the ledger becomes markup or script.

internal import Foundation
internal import Provenance

enum HTML {
  /// Text as content or as an attribute in double quotes.
  static func text(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A value as JSON inside a script element: no `<`, so that no text can end the element.
  static func json(_ value: some Encodable) throws -> String {
    try JSONDocument(encoding: value).text.replacingOccurrences(of: "<", with: "\\u003c")
      .replacingOccurrences(of: "\u{2028}", with: "\\u2028")
      .replacingOccurrences(of: "\u{2029}", with: "\\u2029")
  }

  /// A digest or UID: in full for machines and copying, in a font that tells 0 from O.
  static func code(_ text: String) -> String { "<code>\(HTML.text(text))</code>" }

  /// Rows of a name and a value, both markup.
  static func facts(_ rows: [(String, String?)]) -> String {
    let cells = rows.compactMap { name, value in
      value.map { "<div><dt>\(text(name))</dt><dd>\($0)</dd></div>" }
    }
    return "<dl class=\"facts\">\(cells.joined(separator: "\n"))</dl>"
  }

  /// A table with a header row; cells are markup, columns named in `numeric` are aligned to the right.
  static func table(_ caption: String, _ columns: [String], numeric: Set<Int> = [], _ rows: [[String]])
    -> String
  {
    let style = { (column: Int) in numeric.contains(column) ? " class=\"n\"" : "" }
    let head = columns.enumerated().map { "<th scope=\"col\"\(style($0))>\(text($1))</th>" }.joined()
    let body = rows.map { row in
      "<tr>" + row.enumerated().map { "<td\(style($0))>\($1)</td>" }.joined() + "</tr>"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(text(caption))"><table><caption>\(text(caption))\
      </caption><thead><tr>\(head)</tr></thead><tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// Something long that opens on demand; open in print.
  static func more(_ title: String, _ content: String) -> String {
    "<details class=\"more\"><summary>\(text(title))</summary>\(content)</details>"
  }

  /// A whole page. Its policy forbids everything that would leave the file.
  static func page(title: String, body: String, scripts: [String]) -> String {
    let policy =
      "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
      + "base-uri 'none'; form-action 'none'"
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="color-scheme" content="dark light"><meta name="referrer" content="no-referrer">
      <title>\(text(title))</title><style>
      \(Assets.style)</style></head><body>
      \(body)
      \(scripts.isEmpty ? "" : "<script>(() => {\n'use strict';\n\(scripts.joined(separator: "\n"))\n})();</script>")
      </body></html>

      """
  }
}

/// The parts of a page that are files of their own.
enum Assets {
  static var style: String { text(PackageResources.page_css) }
  static var viewer: String { text(PackageResources.viewer_js) }
  static var plots: String { text(PackageResources.plots_js) }
  static var job: String { text(PackageResources.job_js) }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
