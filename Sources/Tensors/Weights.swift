// A safetensors file of parameters: names, shapes and values with a digest – not what they mean to a network.

internal import CKernels

/// Tensors of a safetensors file (F32 or F16), memory-mapped and checked as a whole when opened.
public struct Weights: Sendable {
  /// Path as given.
  public let path: String
  private let digest: FileDigest
  private let file: MappedFile
  private let header: SafetensorsHeader

  /// Maps the file and checks that its header describes its bytes completely.
  ///
  /// - Parameter digesting: begins to digest it, beside whatever else is done with the file.
  public init(path: String, digesting: Bool = true) throws(WeightsError) {
    self.path = path
    file = try MappedFile(path: path)
    header = try SafetensorsHeader(file.bytes, path: path)
    digest = FileDigest(file)
    if digesting { digest.begin() }
  }

  /// SHA-256 of the whole file, 64 lowercase hexadecimal digits; asking waits for it.
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
    try stored(name, shape: shape).floats
  }

  /// The same values, those of F16 where they lie in the file.
  public func stored(_ name: String, shape: [Int]) throws(WeightsError) -> TensorValues {
    let entry = try entry(name, shape: shape)
    let start = header.dataStart + entry.offsets.lowerBound, range = start..<start + entry.offsets.count
    if entry.type == .float16, let halves = MappedHalves(file, range) { return TensorValues(halves) }
    if entry.type == .float32, let values = finite(range) { return TensorValues(values) }
    throw WeightsError(
      .notFinite, file: path, tensor: name,
      detail: "holds a value that is not a finite number; the training or export failed, so use another file")
  }

  /// Values in single precision, nil where one of them is not finite.
  private func finite(_ range: Range<Int>) -> [Float]? {
    let count = range.count / MemoryLayout<Float>.stride
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
      initialized = count
    }
    file.releasePages(range)
    let isFinite = values.withUnsafeBufferPointer { $0.baseAddress.map { fk_all_finite($0, count) } ?? true }
    return isFinite ? values : nil
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
}
