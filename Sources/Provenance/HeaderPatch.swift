// How the headers of a series are kept small: the first one whole, the others as what they differ in.

internal import GRDB

enum HeaderPatch {
  /// The JSON merge patch (RFC 7396) that makes `own` of `base`. Members that are objects on both sides are patched in
  /// turn; arrays are replaced.
  /// - Returns: nil where one of the two is not JSON without white space, or says `null`, which a patch cannot.
  static func patch(from base: String, to own: String) -> String? {
    var base = base
    var own = own
    return base.withUTF8 { base in
      own.withUTF8 { own in
        let (base, own) = (UnsafeRawBufferPointer(base), UnsafeRawBufferPointer(own))
        guard !says(null: base), !says(null: own), let bytes = patch(from: base, to: own) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
      }
    }
  }

  private static func says(null bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.indices.contains {
      bytes[$0] == UInt8(ascii: ":") && UnsafeRawBufferPointer(rebasing: bytes[$0...]).hasPrefix(":null")
    }
  }

  private static func patch(from base: UnsafeRawBufferPointer, to own: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let old = members(base), let new = members(own) else { return nil }
    var patch: [UInt8] = []
    func add(_ key: UnsafeRawBufferPointer, _ value: some Collection<UInt8>) {
      patch.append(patch.isEmpty ? "{\"" : ",\"")
      patch.append(contentsOf: key)
      patch.append("\":")
      patch.append(contentsOf: value)
    }
    for (key, value) in new {
      guard let before = old.first(where: { $0.key.equals(key) })?.value else {
        add(key, value)
        continue
      }
      if before.equals(value) { continue }
      let brace = UInt8(ascii: "{")
      if before.first == brace, value.first == brace {
        guard let inner = Self.patch(from: before, to: value) else { return nil }
        add(key, inner)
      } else {
        add(key, value)
      }
    }
    for (key, _) in old where !new.contains(where: { $0.key.equals(key) }) { add(key, Array("null".utf8)) }
    patch.append(patch.isEmpty ? "{}" : "}")
    return patch
  }

  private typealias Member = (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

  private static func members(_ object: UnsafeRawBufferPointer) -> [Member]? {
    var found: [Member] = []
    var members = JSONMembers(object)
    while let member = members.next() { found.append(member) }
    return members.isWhole ? found : nil
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}

extension Change {
  /// How a header is stored: as a patch of what its series has in common, which becomes this header where there is
  /// nothing yet or it differs in most; whole where a patch cannot say it.
  func storedHeader(_ header: String, series: Int64) throws -> (base: Int64?, text: String) {
    let common = try row(
      "SELECT id, header_json FROM headers WHERE series_id = ? ORDER BY id DESC LIMIT 1", [series])
    if let common, let patch = HeaderPatch.patch(from: common["header_json"], to: header),
      2 * patch.utf8.count <= header.utf8.count
    {
      return (common["id"], patch)
    }
    guard HeaderPatch.patch(from: header, to: header) != nil else { return (nil, header) }
    let base = try insert("INSERT INTO headers (series_id, header_json) VALUES (?, ?)", [series, header])
    return (base, "{}")
  }
}
