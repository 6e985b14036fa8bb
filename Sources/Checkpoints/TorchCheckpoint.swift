// The tensors of a checkpoint of the published network – its pickle is read as data, never run.

internal import CKernels

/// A tensor of a checkpoint: name with its net in front, shape (outermost axis first), row-major values.
public struct CheckpointTensor: Sendable, Equatable {
  public let name: String
  public let shape: [Int]
  public let values: [Float]
}

/// A dictionary that `torch.save` wrote (zip format, torch 1.6 or newer) with one state dictionary per net.
public enum TorchCheckpoint {
  /// Keys of the published checkpoints, and what our tensor names begin with.
  static let nets = [
    ("encoder_state_dict", "encoder."), ("transfer_state_dict", "transfer."),
    ("reg_net_state_dict", "reg_net."), ("fusion_net_state_dict", "fusion_net."),
  ]

  /// Four times what the network has.
  static let mostValues = 40_000_000

  /// All tensors of the four nets, sorted by name. Doubles, halves and bfloat16 become Float.
  ///
  /// - Parameter file: what to call the bytes in errors.
  /// - Throws: `CheckpointError`; `forbidden` where the pickle names anything but tensors.
  public static func tensors(
    in bytes: UnsafeRawBufferPointer, file: String
  ) throws(CheckpointError) -> [CheckpointTensor] {
    do throws(CheckpointError) { return try read(bytes) } catch { throw error.of(file) }
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) -> [CheckpointTensor] {
    let archive = try StoredZip(bytes)
    let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") }
    guard let name = pickles.first, pickles.count == 1 else {
      throw CheckpointError(.notZip, "is a zip archive but not one of torch.save; give the checkpoint itself")
    }
    let folder = String(name.dropLast("data.pkl".count))
    if archive.entries[folder + "byteorder"] != nil,
      !(try archive.contents(folder + "byteorder")).elementsEqual("little".utf8)
    {
      throw CheckpointError(.unsupported, "was written by a big-endian machine; save it again on another")
    }
    let pickle = try PickleReader.read(try archive.contents(name))
    var views = Storages(archive: archive, folder: folder)
    var found: [String: CheckpointTensor] = [:]
    var total = 0
    for (name, reference) in try references(pickle) {
      let tensor = CheckpointTensor(
        name: name, shape: reference.shape, values: try views.values(reference, name: name))
      total += tensor.values.count
      guard total <= mostValues else {
        throw CheckpointError(
          .unsupported,
          "holds more than \(mostValues) values, so it is another network; give one of BSAFusion")
      }
      guard found.updateValue(tensor, forKey: name) == nil else {
        throw CheckpointError(.damaged, "holds the tensor \(name) twice; get the file again")
      }
    }
    return found.values.sorted { $0.name < $1.name }
  }

  private static func references(_ pickle: Pickle) throws(CheckpointError) -> [(String, TensorReference)] {
    guard let top = pickle.members(pickle.root) else {
      throw CheckpointError(.incomplete, "is not a dictionary; a checkpoint of BSAFusion is one of four nets")
    }
    var all: [(String, TensorReference)] = []
    for (key, prefix) in nets {
      guard let value = top.last(where: { $0.key == key })?.value, let members = pickle.members(value) else {
        let keys = top.map(\.key).prefix(8).joined(separator: ", ")
        throw CheckpointError(
          .incomplete,
          "has no \(key) (it has: \(keys)); a checkpoint of BSAFusion has all of "
            + nets.map(\.0).joined(separator: ", "))
      }
      // what a net wrapped for several GPUs calls its tensors
      let wrapped = !members.isEmpty && members.allSatisfy { $0.key.hasPrefix("module.") }
      for (name, value) in members {
        guard case .tensor(let row) = value else {
          throw CheckpointError(.incomplete, "holds something under \(key), \(name) that is not a tensor")
        }
        all.append((prefix + (wrapped ? String(name.dropFirst("module.".count)) : name), pickle.tensors[row]))
      }
    }
    return all
  }
}

/// Storages of an archive, each checked once, and the values that tensors view in them.
private struct Storages {
  let archive: StoredZip
  let folder: String
  private var opened: [String: UnsafeRawBufferPointer] = [:]

  init(archive: StoredZip, folder: String) {
    self.archive = archive
    self.folder = folder
  }

  /// The values in row-major order, whatever the strides.
  ///
  /// - Throws: `damaged` where the view leaves its storage, `notFinite` on NaN or infinity.
  mutating func values(_ tensor: TensorReference, name: String) throws(CheckpointError) -> [Float] {
    let bytes = try open(tensor.storage)
    let (places, end) = try checkedReach(tensor, name: name)
    let size = tensor.storage.kind.size
    let region = places == 0 ? 0..<0 : tensor.offset * size..<end * size
    let viewed = UnsafeRawBufferPointer(rebasing: bytes[region])
    let all = try floats(tensor.storage.kind, viewed, name: name)
    let values = tensor.isRowMajor ? all : gather(tensor, all, places)
    guard values.withUnsafeBufferPointer({ $0.baseAddress.map { fk_all_finite($0, values.count) } ?? true })
    else {
      throw CheckpointError(
        .notFinite, "holds a value in \(name) that is not a finite number; use another file")
    }
    return values
  }

  /// - Parameter all: the storage from the tensor's first value on.
  private func gather(_ tensor: TensorReference, _ all: [Float], _ places: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(places)
    var index = [Int](repeating: 0, count: tensor.shape.count)
    var place = 0
    for _ in 0..<places {
      values.append(all[place])
      for axis in tensor.shape.indices.reversed() {
        index[axis] += 1
        place &+= tensor.strides[axis]  // an axis of one may have any stride
        if index[axis] < tensor.shape[axis] { break }
        place &-= tensor.strides[axis] &* tensor.shape[axis]
        index[axis] = 0
      }
    }
    return values
  }

  private mutating func open(_ storage: StorageReference) throws(CheckpointError) -> UnsafeRawBufferPointer {
    if let known = opened[storage.key] { return known }
    let bytes = try archive.contents("\(folder)data/\(storage.key)")
    opened[storage.key] = bytes
    return bytes
  }

  /// Number of values and the place after the last, once every one of them is known to lie in the storage.
  private func checkedReach(
    _ tensor: TensorReference, name: String
  ) throws(CheckpointError) -> (count: Int, end: Int) {
    let storage = tensor.storage
    let held = (opened[storage.key]?.count ?? 0) / storage.kind.size
    var (count, last) = (1, tensor.offset)
    var fits = storage.count <= held && tensor.offset <= storage.count
    for (extent, stride) in zip(tensor.shape, tensor.strides) where fits {
      let (product, tooMany) = count.multipliedReportingOverflow(by: extent)
      let (reach, tooFar) = max(extent - 1, 0).multipliedReportingOverflow(by: stride)
      let (end, beyond) = last.addingReportingOverflow(reach)
      fits = !tooMany && !tooFar && !beyond && product <= storage.count
      (count, last) = (product, end)
    }
    guard fits, count == 0 || last < storage.count else {
      throw CheckpointError(.damaged, "describes \(name) beyond its storage; get the file again")
    }
    return (count, last + 1)
  }

  /// A storage as floats.
  private func floats(
    _ kind: ElementKind, _ bytes: UnsafeRawBufferPointer, name: String
  ) throws(CheckpointError) -> [Float] {
    switch kind {
    case .float: return copied(bytes, as: Float.self)
    case .double: return copied(bytes, as: Double.self).map(Float.init)
    case .brain: return copied(bytes, as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .half:
      let halves = copied(bytes, as: UInt16.self)
      return [Float](unsafeUninitializedCapacity: halves.count) { buffer, filled in
        if let values = buffer.baseAddress { fk_half_to_float(halves, halves.count, values) }
        filled = halves.count
      }
    case .long, .int, .short, .char, .byte, .bool:
      throw CheckpointError(.unsupported, "holds whole numbers in \(name), where weights are expected")
    }
  }

  /// The entry need not be aligned for such elements.
  private func copied<T: BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, as type: T.Type) -> [T] {
    let count = bytes.count / MemoryLayout<T>.size
    return [T](unsafeUninitializedCapacity: count) { buffer, filled in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes.prefix(count * MemoryLayout<T>.size))
      filled = count
    }
  }
}
