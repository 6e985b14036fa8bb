// Writing tensors to a safetensors file – no policy of temporary names or syncing.

internal import FoundationEssentials
internal import Glibc

/// A value to be written: name, shape (outermost axis first) and row-major Float values.
public struct NamedTensor: Sendable {
  public let name: String
  public let shape: [Int]
  public let values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "\(name) of shape \(shape) has \(values.count) values")
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// The writer of the format that `Weights` reads.
public enum SafetensorsFile {
  /// Writes F32 tensors in the given order, and free text by key, to exactly this path, replacing what is there.
  ///
  /// Throws `unwritable` with the system's reason. A name twice is our own mistake.
  public static func write(
    _ tensors: [NamedTensor], metadata: [String: String] = [:], to path: String
  ) throws(WeightsError) {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "every tensor has its own name")
    guard let file = fopen(path, "wb") else { throw unwritable(path, errno) }
    var failure: Int32?
    if !put(header(tensors, metadata), file) { failure = errno }
    for tensor in tensors where failure == nil {
      if !tensor.values.withUnsafeBytes({ put($0, file) }) { failure = errno }
    }
    if fclose(file) != 0, failure == nil { failure = errno }
    if let failure { throw unwritable(path, failure) }
  }

  /// Length and JSON, padded with spaces so that the data section is aligned to eight bytes.
  private static func header(_ tensors: [NamedTensor], _ metadata: [String: String]) -> [UInt8] {
    var offset = 0
    let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
    let free =
      texts.isEmpty ? [] : ["\(quoted(HeaderJSON.metadataKey)):{\(texts.joined(separator: ","))}"]
    let entries = tensors.map { tensor in
      let end = offset + 4 * tensor.values.count
      defer { offset = end }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      return
        "\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
    }
    var json = Array("{\((free + entries).joined(separator: ","))}".utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
  }

  private static func quoted(_ name: String) -> String {
    var text = "\""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func put(_ bytes: [UInt8], _ file: UnsafeMutablePointer<FILE>) -> Bool {
    bytes.withUnsafeBytes { put($0, file) }
  }

  private static func put(_ bytes: UnsafeRawBufferPointer, _ file: UnsafeMutablePointer<FILE>) -> Bool {
    fwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count
  }

  private static func unwritable(_ path: String, _ code: Int32) -> WeightsError {
    WeightsError(
      .unwritable, file: path,
      detail:
        "cannot be written (\(String(cString: strerror(code)))); check the folder, its permissions and free space"
    )
  }
}
