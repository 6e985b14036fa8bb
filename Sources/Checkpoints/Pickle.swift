// What a checkpoint's pickle describes, as plain data – no Python object is made and nothing in it is called.

/// One value. Containers are numbers of rows in `Pickle`, so nothing nests and depth costs no stack.
enum PickleValue: Equatable {
  case none
  case truth(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
  case mark
}

/// The only names a pickle may mention: what PyTorch writes for a dictionary of tensors.
enum PickleGlobal: Equatable {
  case orderedDictionary
  case rebuildTensor
  case rebuildParameter
  case storage(ElementKind)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", _):
      guard let kind = ElementKind(storageName: name) else { return nil }
      self = .storage(kind)
    default: return nil
    }
  }
}

/// Element types of torch storages.
enum ElementKind: String {
  case double = "DoubleStorage"
  case float = "FloatStorage"
  case half = "HalfStorage"
  case brain = "BFloat16Storage"
  case long = "LongStorage"
  case int = "IntStorage"
  case short = "ShortStorage"
  case char = "CharStorage"
  case byte = "ByteStorage"
  case bool = "BoolStorage"

  init?(storageName: String) { self.init(rawValue: storageName) }

  var size: Int {
    switch self {
    case .double, .long: 8
    case .float, .int: 4
    case .half, .brain, .short: 2
    case .char, .byte, .bool: 1
    }
  }
}

/// `count` elements in the archive's entry `data/<key>`.
struct StorageReference: Equatable {
  let key: String
  let kind: ElementKind
  let count: Int
}

/// A view of a storage; offset and strides in elements.
struct TensorReference: Equatable {
  let storage: StorageReference
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  /// Neighbours in row-major order are neighbours in the storage.
  var isRowMajor: Bool {
    var step = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if stride != step { return false }
      step &*= extent  // overflows only where another extent is zero
    }
    return true
  }
}

/// A pickle that was read to its end.
struct Pickle {
  var sequences: [[PickleValue]] = []
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [StorageReference] = []
  var tensors: [TensorReference] = []
  var root = PickleValue.none

  /// The entries of a dictionary whose keys are texts; others are left out. Nil where it is none.
  func members(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
    guard case .dictionary(let row) = value else { return nil }
    return dictionaries[row].compactMap { entry in
      if case .text(let key) = entry.key { (key, entry.value) } else { nil }
    }
  }
}
