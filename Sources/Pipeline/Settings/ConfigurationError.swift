// What is wrong in a configuration file, and where; the one error of reading settings.

/// A refusal of a configuration: file, line and column (from 1), the key, and what to write instead.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let line: Int?
  public let column: Int?
  /// Dotted path of the key, such as `grid.side`; empty for the file as a whole.
  public let key: String
  public let message: String

  public init(file: String, line: Int? = nil, column: Int? = nil, key: String = "", message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.key = key
    self.message = message
  }

  public var description: String {
    let place = [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(
      separator: ":")
    return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
  }
}

/// The candidate with the fewest edits from `word` (Levenshtein), if it is near enough to be what was meant.
func nearest(_ word: String, in candidates: [String]) -> String? {
  let scored = candidates.map { ($0, editDistance(word.lowercased(), $0.lowercased())) }
  guard let best = scored.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else { return nil }
  return best.1 <= max(2, word.count / 2) ? best.0 : nil
}

/// Number of single-character insertions, deletions and substitutions between two words.
private func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
