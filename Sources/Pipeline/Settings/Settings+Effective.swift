// The configuration as it takes effect, in the words and units of pipeline.yaml; what the words mean is not known here.

import Yams

extension Settings {
  /// All of a configuration as the text of a pipeline.yaml: the operator's keys over the default's, paths absolute.
  /// Read again, from wherever it lies, it leads to the same settings.
  ///
  /// - Parameters:
  ///   - yaml: the operator's text, which may be empty.
  ///   - file: what names it in errors and gives the base folder of relative paths.
  /// - Throws: `ConfigurationError` as `init(yaml:file:)` does.
  public static func effectiveText(yaml: String, file: String) throws -> String {
    let settings = try Settings(yaml: yaml, file: file)
    var whole = merge(
      try compose(yaml, file: file) ?? [:],
      over: try compose(defaultText, file: "default pipeline.yaml") ?? [:])
    for (keys, path) in settings.paths where path != nil { set(path ?? "", at: keys[...], in: &whole) }
    return try Yams.serialize(node: .mapping(whole), width: 120, allowUnicode: true)
  }

  /// Every key that holds a path, and what it comes to; nil where it is switched off.
  private var paths: [([String], String?)] {
    [
      (["folders", "inbox"], folders.inbox), (["folders", "store"], folders.store),
      (["folders", "output"], folders.output), (["folders", "quarantine"], folders.quarantine),
      (["ledger"], ledger), (["checkpoint_key"], checkpointKey), (["models"], models),
      (["metrics", "file"], metrics.file), (["retention", "export_to"], retention.exportTo),
    ]
  }

  /// Mappings are merged key by key, all else is replaced – as are the entries of `normalization`, whose keys depend on
  /// each other.
  private static func merge(
    _ user: Node.Mapping, over fallback: Node.Mapping, wholeEntries: Bool = false
  ) -> Node.Mapping {
    var result = fallback
    for (key, value) in user {
      if !wholeEntries, let inner = value.mapping, let below = fallback[key]?.mapping {
        result[key] = .mapping(merge(inner, over: below, wholeEntries: key.string == "normalization"))
      } else {
        result[key] = value
      }
    }
    return result
  }

  private static func set(_ text: String, at keys: ArraySlice<String>, in mapping: inout Node.Mapping) {
    guard let first = keys.first else { return }
    guard keys.count > 1, var inner = mapping[Node(first)]?.mapping else {
      mapping[Node(first)] = Node(text)
      return
    }
    set(text, at: keys.dropFirst(), in: &inner)
    mapping[Node(first)] = .mapping(inner)
  }
}
