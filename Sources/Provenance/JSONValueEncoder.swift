// Any Encodable value as a JSONValue, without writing and reading its text; what is not in JSON's types is not handled.

extension JSONValue {
  /// What a JSON encoder would write. A thousand rows of a listing take milliseconds.
  public init(encoding value: some Encodable) throws {
    let encoder = JSONValueEncoder(codingPath: [])
    try value.encode(to: encoder)
    self = encoder.value
  }
}

/// Takes one value.
final class JSONValueEncoder: Encoder {
  private enum Part {
    case none
    case leaf(JSONValue)
    case members([(key: String, value: JSONValueEncoder)], leaves: [String: JSONValue])
    case items([JSONValueEncoder])
  }

  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  private var part = Part.none

  init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

  var value: JSONValue {
    switch part {
    case .none: .object([:])
    case .leaf(let value): value
    case .members(let members, var leaves):
      {
        for member in members { leaves[member.key] = member.value.value }
        return .object(leaves)
      }()
    case .items(let items): .array(items.map(\.value))
    }
  }

  func put(_ value: JSONValue) { part = .leaf(value) }

  fileprivate func put(_ value: JSONValue, _ key: String) {
    guard case .members(let members, var leaves) = part else { return }
    // Otherwise the dictionary would be copied with every member.
    part = .none
    leaves[key] = value
    part = .members(members, leaves: leaves)
  }

  fileprivate func member(_ key: any CodingKey) -> JSONValueEncoder {
    let encoder = JSONValueEncoder(codingPath: codingPath)
    guard case .members(var members, let leaves) = part else { return encoder }
    part = .none
    members.append((key.stringValue, encoder))
    part = .members(members, leaves: leaves)
    return encoder
  }

  fileprivate func item() -> JSONValueEncoder {
    let encoder = JSONValueEncoder(codingPath: codingPath)
    guard case .items(var items) = part else { return encoder }
    part = .none
    items.append(encoder)
    part = .items(items)
    return encoder
  }

  fileprivate var count: Int {
    guard case .items(let items) = part else { return 0 }
    return items.count
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .members = part {} else { part = .members([], leaves: [:]) }
    return KeyedEncodingContainer(Members(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .items = part {} else { part = .items([]) }
    return Items(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil(forKey key: Key) { encoder.put(.null, key.stringValue) }
  func encode(_ value: Bool, forKey key: Key) { encoder.put(.bool(value), key.stringValue) }
  func encode(_ value: String, forKey key: Key) { encoder.put(.string(value), key.stringValue) }
  func encode(_ value: Double, forKey key: Key) { encoder.put(.number(value), key.stringValue) }
  func encode(_ value: Int, forKey key: Key) { encoder.put(.integer(Int64(value)), key.stringValue) }
  func encode(_ value: Int64, forKey key: Key) { encoder.put(.integer(value), key.stringValue) }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try value.encode(to: encoder.member(key))
  }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
    -> KeyedEncodingContainer<Nested>
  {
    encoder.member(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder.member(key).unkeyedContainer()
  }
  func superEncoder() -> any Encoder { encoder }
  func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}

private struct Items: UnkeyedEncodingContainer {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }
  var count: Int { encoder.count }

  func encodeNil() { encoder.item().put(.null) }
  func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: encoder.item()) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    encoder.item().container(keyedBy: type)
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.item().unkeyedContainer() }
  func superEncoder() -> any Encoder { encoder }
}

private struct Single: SingleValueEncodingContainer {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil() { encoder.put(.null) }
  func encode(_ value: Bool) { encoder.put(.bool(value)) }
  func encode(_ value: String) { encoder.put(.string(value)) }
  func encode(_ value: Double) { encoder.put(.number(value)) }
  /// The shortest decimal that denotes the value, not the nearest double's.
  func encode(_ value: Float) { encoder.put(.number(Double("\(value)") ?? Double(value))) }
  func encode(_ value: Int) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: Int8) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: Int16) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: Int32) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: Int64) { encoder.put(.integer(value)) }
  func encode(_ value: UInt) { encode(UInt64(value)) }
  func encode(_ value: UInt8) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: UInt16) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: UInt32) { encoder.put(.integer(Int64(value))) }
  func encode(_ value: UInt64) {
    encoder.put(Int64(exactly: value).map(JSONValue.integer) ?? .number(Double(value)))
  }
  func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: encoder) }
}
