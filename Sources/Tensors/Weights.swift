// A safetensors file of parameters: names, shapes and values with a digest – not what they mean to a network.

internal import CKernels

/// Tensors of a safetensors file (F32 or F16), memory-mapped and checked as a whole when opened.
public struct Weights: Sendable {
  /// Path as given.
  public let path: String
  private let digest: FileDigest
  private let file: MappedFile
  private let header: SafetensorsHeader

  /// Maps the file, checks that its header describes its bytes completely, and begins to digest it.
  public init(path: String) throws(WeightsError) {
    self.path = path
    file = try MappedFile(path: path)
    header = try SafetensorsHeader(file.bytes, path: path)
    digest = FileDigest(file)
  }

  /// SHA-256 of the whole file, 64 lowercase hexadecimal digits. It is worked out beside whatever else is done with the
  /// file; asking waits for it.
  public var sha256: String { digest.text }

  /// Names of all tensors, sorted.
  public var names: [String] { header.entries.keys.sorted() }

  /// The header's free text, by key.
  public var metadata: [String: String] { header.metadata }

  /// Number of values in all tensors.
  public var parameterCount: Int { header.entries.values.reduce(0) { $0 + $1.offsets.count / $1.type.size } }

  /// Shape of a tensor, outermost axis first, or nil where there is none of this name.
  public func shape(of name: String) -> [Int]? { header.entries[name]?.shape }

  /// The values of a tensor that must have this shape, in row-major order; F16 is widened exactly.
  ///
  /// Throws `missingTensor`, `wrongShape`, or `notFinite` where a value is NaN or infinite.
  public func values(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
    let entry = try entry(name, shape: shape)
    let start = header.dataStart + entry.offsets.lowerBound
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + entry.offsets.count])
    let values = Self.floats(bytes, entry.type)
    file.releasePages(start..<start + entry.offsets.count)
    guard values.withUnsafeBufferPointer({ $0.baseAddress.map { fk_all_finite($0, values.count) } ?? true })
    else {
      throw WeightsError(
        .notFinite, file: path, tensor: name,
        detail:
          "holds a value that is not a finite number; the training or export failed, so use another file")
    }
    return values
  }

  /// Gives memory back to the system that making a network needed and running it does not.
  public func releasePages() {
    file.releasePages(0..<file.bytes.count)
    fk_return_free_memory()
  }

  /// Checks that a tensor is there with this shape, without reading it.
  public func check(_ name: String, shape: [Int]) throws(WeightsError) {
    _ = try entry(name, shape: shape)
  }

  private func entry(_ name: String, shape: [Int]) throws(WeightsError) -> TensorEntry {
    guard let entry = header.entries[name] else {
      throw WeightsError(
        .missingTensor, file: path, tensor: name,
        detail:
          "is missing (expected shape \(shape)); this is not a complete BSAFusion model, so export all of it")
    }
    guard entry.shape == shape else {
      throw WeightsError(
        .wrongShape, file: path, tensor: name,
        detail: "has shape \(entry.shape), expected \(shape); the file belongs to another network or version")
    }
    return entry
  }

  private static func floats(_ bytes: UnsafeRawBufferPointer, _ type: ElementType) -> [Float] {
    let count = bytes.count / type.size
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      switch type {
      case .float32:
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      case .float16:
        if let values = buffer.baseAddress, let halves = bytes.baseAddress {
          fk_half_to_float(halves, count, values)
        }
      }
      initialized = count
    }
  }
}
