// The JSON of a safetensors header in the plain form in which writers make it – whatever else it may hold is not for this.

/// Reads objects, strings without escapes, and natural numbers; nil for everything else, valid or not. A whole JSON decoder
/// takes ten times as long for the hundreds of tensors of a network.
struct PlainHeader {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  static func read(_ bytes: UnsafeRawBufferPointer) -> HeaderJSON? {
    var reader = PlainHeader(bytes: bytes)
    return reader.header()
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func header() -> HeaderJSON? {
    var tensors: [String: HeaderJSON.Tensor] = [:], metadata: [String: String]?
    let isWhole = object { reader, key in
      if key == HeaderJSON.metadataKey {
        guard metadata == nil, let text = reader.texts() else { return false }
        metadata = text
        return true
      }
      guard tensors[key] == nil, let tensor = reader.tensor() else { return false }
      tensors[key] = tensor
      return true
    }
    skipSpaces()
    guard isWhole, at == bytes.count else { return nil }
    return HeaderJSON(tensors: tensors, metadata: metadata ?? [:])
  }

  private mutating func tensor() -> HeaderJSON.Tensor? {
    var type: String?, shape: [Int]?, offsets: [Int]?
    let isWhole = object { reader, key in
      switch key {
      case "dtype" where type == nil: type = reader.string()
      case "shape" where shape == nil: shape = reader.numbers()
      case "data_offsets" where offsets == nil: offsets = reader.numbers()
      default: return false
      }
      return true
    }
    guard isWhole, let type, let shape, let offsets else { return nil }
    return HeaderJSON.Tensor(dtype: type, shape: shape, data_offsets: offsets)
  }

  private mutating func texts() -> [String: String]? {
    var texts: [String: String] = [:]
    let isWhole = object { reader, key in
      guard texts[key] == nil, let text = reader.string() else { return false }
      texts[key] = text
      return true
    }
    return isWhole ? texts : nil
  }

  /// `{"key": value, …}`; the body reads a value and says whether it could.
  private mutating func object(_ member: (inout PlainHeader, String) -> Bool) -> Bool {
    guard take(UInt8(ascii: "{")) else { return false }
    if take(UInt8(ascii: "}")) { return true }
    repeat {
      guard let key = string(), take(UInt8(ascii: ":")), member(&self, key) else { return false }
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}"))
  }

  private mutating func string() -> String? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      guard (0x20..<0x80).contains(bytes[at]), bytes[at] != UInt8(ascii: "\\") else { return nil }
      at += 1
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    return take(UInt8(ascii: "\"")) ? text : nil
  }

  private mutating func numbers() -> [Int]? {
    guard take(UInt8(ascii: "[")) else { return nil }
    var numbers: [Int] = []
    if take(UInt8(ascii: "]")) { return numbers }
    repeat {
      guard let number = number() else { return nil }
      numbers.append(number)
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "]")) ? numbers : nil
  }

  private mutating func number() -> Int? {
    skipSpaces()
    let start = at
    var value = 0
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]), at - start < 18 {
      value = 10 * value + Int(bytes[at] - UInt8(ascii: "0"))
      at += 1
    }
    let hasLeadingZero = at - start > 1 && bytes[start] == UInt8(ascii: "0")
    return at == start || hasLeadingZero ? nil : value
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpaces()
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func skipSpaces() {
    while at < bytes.count, Self.isSpace(bytes[at]) { at += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }
}
