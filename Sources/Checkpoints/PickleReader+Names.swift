// The part of the pickle machine that names and rebuilds things: storages, tensors, ordered dictionaries, nothing else.

extension PickleReader {
  mutating func named(_ opcode: UInt8) throws(CheckpointError) -> Bool {
    switch opcode {
    case UInt8(ascii: "c"):
      let (module, name) = (try reader.line(), try reader.line())
      try mention(module, name)
    case 0x93:
      let parts = try popLast(2)
      guard case .text(let module) = parts[0], case .text(let name) = parts[1] else {
        throw misplaced("a name")
      }
      try mention(module, name)
    case UInt8(ascii: "R"):
      let parts = try popLast(2)
      stack.append(try rebuilt(parts[0], parts[1]))
    case UInt8(ascii: "Q"): stack.append(try storage(try pop()))
    case UInt8(ascii: "b"):  // attributes of an ordered dictionary, which are not read
      _ = try pop()
      guard case .dictionary = try top() else { throw misplaced("a dictionary") }
    default: return false
    }
    return true
  }

  mutating func mention(_ module: String, _ name: String) throws(CheckpointError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw CheckpointError(
        .forbidden,
        "names \(printable(module)).\(printable(name)), which a plain checkpoint of tensors does not need and which "
          + "Python would run; nothing was run here. Export the state dictionaries alone, from a source you trust"
      )
    }
    stack.append(.global(global))
  }

  mutating func rebuilt(
    _ callee: PickleValue, _ arguments: PickleValue
  ) throws(CheckpointError) -> PickleValue {
    guard case .global(let global) = callee, case .tuple(let row) = arguments else {
      throw misplaced("a name")
    }
    let values = result.sequences[row]
    switch (global, values.count) {
    case (.orderedDictionary, 0):
      result.dictionaries.append([])
      return .dictionary(result.dictionaries.count - 1)
    case (.rebuildTensor, 6...7): return try tensor(values)
    case (.rebuildParameter, 3):
      guard case .tensor = values[0] else { throw misplaced("a tensor") }
      return values[0]
    default: throw misplaced("a tensor or an ordered dictionary")
    }
  }

  /// storage, offset, shape, strides, then what only training needs.
  mutating func tensor(_ values: [PickleValue]) throws(CheckpointError) -> PickleValue {
    guard case .storage(let storage) = values[0], case .integer(let offset) = values[1] else {
      throw misplaced("a tensor's storage")
    }
    let (shape, strides) = (try integers(values[2]), try integers(values[3]))
    guard shape.count == strides.count, ([offset] + shape + strides).allSatisfy({ $0 >= 0 }) else {
      throw misplaced("a tensor's shape")
    }
    result.tensors.append(
      TensorReference(storage: result.storages[storage], offset: offset, shape: shape, strides: strides))
    return .tensor(result.tensors.count - 1)
  }

  /// ("storage", kind, key, device, count).
  mutating func storage(_ value: PickleValue) throws(CheckpointError) -> PickleValue {
    guard case .tuple(let row) = value, result.sequences[row].count == 5 else { throw misplaced("a storage") }
    let parts = result.sequences[row]
    guard parts[0] == .text("storage"), case .global(.storage(let kind)) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
    else { throw misplaced("a storage") }
    result.storages.append(StorageReference(key: key, kind: kind, count: count))
    return .storage(result.storages.count - 1)
  }

  func integers(_ value: PickleValue) throws(CheckpointError) -> [Int] {
    guard case .tuple(let row) = value else { throw misplaced("a tensor's shape") }
    var numbers: [Int] = []
    for item in result.sequences[row] {
      guard case .integer(let number) = item else { throw misplaced("a tensor's shape") }
      numbers.append(number)
    }
    return numbers
  }
}
