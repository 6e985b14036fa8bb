// A pickle's instructions, followed only as far as they describe tensors – everything else is refused.

/// A stack machine for protocols 2 to 5 that knows data, and four names (`PickleGlobal`).
///
/// Source: the opcode comments of Python's `pickletools`.
struct PickleReader {
  var reader: ByteReader
  var stack: [PickleValue] = []
  var memo: [Int: PickleValue] = [:]
  var result = Pickle()

  /// Instructions of the largest sensible checkpoint: a few thousand tensors, optimiser included.
  private static let mostInstructions = 4_000_000

  /// - Throws: `forbidden` where it names something to run; `damaged`, `truncated`, `unsupported`.
  static func read(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) -> Pickle {
    var machine = PickleReader(reader: try ByteReader(bytes))
    for _ in 0..<mostInstructions {
      let opcode = try machine.reader.integer(UInt8.self)
      if opcode == UInt8(ascii: ".") {
        machine.result.root = try machine.pop()
        return machine.result
      }
      try machine.follow(opcode)
    }
    throw CheckpointError(
      .unsupported, "has more than \(mostInstructions) instructions; export only the weights")
  }

  private init(reader: ByteReader) { self.reader = reader }

  mutating func follow(_ opcode: UInt8) throws(CheckpointError) {
    if try constant(opcode) { return }
    if try remembered(opcode) { return }
    if try container(opcode) { return }
    if try named(opcode) { return }
    throw CheckpointError(
      .forbidden,
      "uses pickle instruction 0x\(String(opcode, radix: 16)) that no plain checkpoint of tensors has; "
        + "export the state dictionaries alone")
  }

  // MARK: Values

  mutating func constant(_ opcode: UInt8) throws(CheckpointError) -> Bool {
    switch opcode {
    case 0x80: _ = try reader.take(1)  // PROTO
    case 0x95: _ = try reader.take(8)  // FRAME
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.truth(true))
    case 0x89: stack.append(.truth(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(try reader.integer(Int32.self))))
    case UInt8(ascii: "K"): stack.append(.integer(Int(try reader.integer(UInt8.self))))
    case UInt8(ascii: "M"): stack.append(.integer(Int(try reader.integer(UInt16.self))))
    case 0x8A: stack.append(.integer(try long()))
    case UInt8(ascii: "G"):  // big-endian
      stack.append(.real(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped)))
    case UInt8(ascii: "X"): stack.append(.text(try reader.text(Int(try reader.integer(UInt32.self)))))
    case 0x8C: stack.append(.text(try reader.text(Int(try reader.integer(UInt8.self)))))
    default: return false
    }
    return true
  }

  /// LONG1: a length, then that many bytes of two's complement.
  mutating func long() throws(CheckpointError) -> Int {
    let count = Int(try reader.integer(UInt8.self))
    let range = try reader.take(count)
    guard count <= 8 else { throw CheckpointError(.unsupported, "holds an integer of \(count) bytes") }
    guard count > 0 else { return 0 }
    var value: Int = reader.bytes[range.upperBound - 1] >= 0x80 ? -1 : 0
    for byte in reader.bytes[range].reversed() { value = value << 8 | Int(byte) }
    return value
  }

  // MARK: Memo

  mutating func remembered(_ opcode: UInt8) throws(CheckpointError) -> Bool {
    switch opcode {
    case UInt8(ascii: "q"): memo[Int(try reader.integer(UInt8.self))] = try top()
    case UInt8(ascii: "r"): memo[Int(try reader.integer(UInt32.self))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try recall(Int(try reader.integer(UInt8.self))))
    case UInt8(ascii: "j"): stack.append(try recall(Int(try reader.integer(UInt32.self))))
    default: return false
    }
    return true
  }

  func recall(_ number: Int) throws(CheckpointError) -> PickleValue {
    guard let value = memo[number] else {
      throw CheckpointError(.damaged, "refers to value \(number) before it exists; get the file again")
    }
    return value
  }

  // MARK: Containers

  mutating func container(_ opcode: UInt8) throws(CheckpointError) -> Bool {
    switch opcode {
    case UInt8(ascii: "("): stack.append(.mark)
    case UInt8(ascii: ")"): pushTuple([])
    case UInt8(ascii: "]"):
      result.sequences.append([])
      stack.append(.list(result.sequences.count - 1))
    case UInt8(ascii: "}"): pushDictionary()
    case 0x85: pushTuple(try popLast(1))
    case 0x86: pushTuple(try popLast(2))
    case 0x87: pushTuple(try popLast(3))
    case UInt8(ascii: "t"): pushTuple(try popMarked())
    case UInt8(ascii: "a"): try append(try popLast(1))
    case UInt8(ascii: "e"): try append(try popMarked())
    case UInt8(ascii: "s"): try set(try popLast(2))
    case UInt8(ascii: "u"): try set(try popMarked())
    default: return false
    }
    return true
  }

  mutating func pushTuple(_ values: [PickleValue]) {
    result.sequences.append(values)
    stack.append(.tuple(result.sequences.count - 1))
  }

  mutating func pushDictionary() {
    result.dictionaries.append([])
    stack.append(.dictionary(result.dictionaries.count - 1))
  }

  mutating func append(_ values: [PickleValue]) throws(CheckpointError) {
    guard case .list(let row) = try top() else { throw misplaced("a list") }
    result.sequences[row] += values
  }

  mutating func set(_ values: [PickleValue]) throws(CheckpointError) {
    guard case .dictionary(let row) = try top(), values.count.isMultiple(of: 2) else {
      throw misplaced("a dictionary")
    }
    for k in stride(from: 0, to: values.count, by: 2) {
      result.dictionaries[row].append((values[k], values[k + 1]))
    }
  }
}

// MARK: Stack

extension PickleReader {
  func top() throws(CheckpointError) -> PickleValue {
    guard let value = stack.last, value != .mark else { throw misplaced("a value") }
    return value
  }

  mutating func pop() throws(CheckpointError) -> PickleValue { try popLast(1)[0] }

  mutating func popLast(_ count: Int) throws(CheckpointError) -> [PickleValue] {
    let values = Array(stack.suffix(count))
    guard values.count == count, !values.contains(.mark) else { throw misplaced("a value") }
    stack.removeLast(count)
    return values
  }

  mutating func popMarked() throws(CheckpointError) -> [PickleValue] {
    guard let mark = stack.lastIndex(of: .mark) else { throw misplaced("a mark") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[(mark + 1)...])
  }

  func misplaced(_ what: String) -> CheckpointError {
    CheckpointError(
      .damaged,
      "expects \(what) before byte \(reader.position) of its pickle and has none; get the file again")
  }

  func printable(_ name: String) -> String {
    String(
      String.UnicodeScalarView(
        name.unicodeScalars.prefix(60).map { (0x21...0x7E).contains($0.value) ? $0 : "?" }))
  }
}
