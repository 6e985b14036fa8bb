// Settings as canonical JSON and as the digest that output UIDs are derived from.

import Crypto
import Foundation

extension Settings {
  /// What shapes the pixels and the text of an output; folders, workers and schedules do not.
  private struct Shaping: Codable {
    let rules: [PairingRule]
    let selection: SelectionSettings
    let grid: GridSettings
    let normalization: [String: NormalizationSettings]
    let alignment: AlignmentSettings
    let output: OutputSettings
  }

  /// Canonical JSON (sorted keys) of everything that shapes an output.
  public var canonicalText: String {
    let shaping = Shaping(
      rules: pairing.rules, selection: selection, grid: grid, normalization: normalization,
      alignment: alignment, output: output)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding plain values of our own types cannot fail: they hold no NaN (the reader refuses it).
    let data = (try? encoder.encode(shaping)) ?? Data()
    precondition(!data.isEmpty, "settings encode as JSON")
    return String(decoding: data, as: UTF8.self)
  }

  /// SHA-256 (hex) of `canonicalText`: the same work has the same digest in any folder, on any day.
  public var digest: String { sha256Hex(canonicalText) }

  /// These settings with everything that shapes outputs taken from a `canonicalText`, as a ledger keeps it.
  ///
  /// - Throws: `DecodingError` for a text that this version did not write.
  func shaped(by canonicalText: String) throws -> Settings {
    let shaping = try JSONDecoder().decode(Shaping.self, from: Data(canonicalText.utf8))
    var settings = self
    settings.pairing.rules = shaping.rules
    settings.selection = shaping.selection
    settings.grid = shaping.grid
    settings.normalization = shaping.normalization
    settings.alignment = shaping.alignment
    settings.output = shaping.output
    return settings
  }
}

/// SHA-256 of bytes, lower-case hex.
func sha256Hex(_ bytes: Data) -> String { hex(SHA256.hash(data: bytes)) }

/// SHA-256 of a text in UTF-8, lower-case hex.
func sha256Hex(_ text: String) -> String {
  hex(SHA256.hash(data: Array(text.utf8)))
}
