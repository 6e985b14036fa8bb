// The header of a safetensors file: which tensors lie where – checked, so that later reads need no checks.

internal import FoundationEssentials

/// Element types read here; others are refused.
enum ElementType: String, Sendable {
  case float32 = "F32"
  case float16 = "F16"

  var size: Int { self == .float32 ? 4 : 2 }
}

/// One tensor: C-contiguous values at `offsets` of the data section.
struct TensorEntry: Sendable {
  let type: ElementType
  let shape: [Int]
  let offsets: Range<Int>
}

/// Format: UInt64 little-endian length, that many bytes of JSON, then the data section.
/// Source: the format description of the safetensors project.
struct SafetensorsHeader: Sendable {
  /// No header of a model of this size comes near; the format allows 100 MB.
  static let longestHeader = 16 << 20

  let entries: [String: TensorEntry]
  let metadata: [String: String]
  /// Offset of the data section in the file.
  let dataStart: Int

  init(_ file: UnsafeRawBufferPointer, path: String) throws(WeightsError) {
    guard file.count >= 8 else {
      throw WeightsError(
        .truncated, file: path,
        detail: "has \(file.count) bytes, too few for a safetensors file; install it again")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length >= 2, length <= UInt64(Self.longestHeader) else {
      throw WeightsError(
        .notSafetensors, file: path,
        detail:
          "announces a header of \(length) bytes, so it is not a safetensors file; convert or install it again"
      )
    }
    guard length <= UInt64(file.count - 8) else {
      throw WeightsError(
        .truncated, file: path,
        detail:
          "ends inside its header (\(length) bytes announced, \(file.count - 8) present); install it again")
    }
    dataStart = 8 + Int(length)
    let json = UnsafeRawBufferPointer(rebasing: file[8..<dataStart])
    let decoded = try HeaderJSON.decode(json, path: path)
    metadata = decoded.metadata
    entries = try Self.checked(decoded.tensors, dataSize: file.count - dataStart, path: path)
  }

  private static func checked(
    _ tensors: [String: HeaderJSON.Tensor], dataSize: Int, path: String
  ) throws(WeightsError) -> [String: TensorEntry] {
    var entries: [String: TensorEntry] = [:]
    for (name, tensor) in tensors {
      entries[name] = try entry(tensor, name: name, dataSize: dataSize, path: path)
    }
    // The format leaves no holes and shares no bytes: the tensors in file order tile the data section.
    var end = 0
    for (name, entry) in entries.sorted(by: {
      ($0.value.offsets.lowerBound, $0.key) < ($1.value.offsets.lowerBound, $1.key)
    }) {
      guard entry.offsets.lowerBound == end else {
        let what =
          entry.offsets.lowerBound < end ? "overlaps the tensor before it" : "leaves a hole before it"
        throw WeightsError(
          .damaged, file: path, tensor: name,
          detail:
            "starts at byte \(entry.offsets.lowerBound) but \(end) was expected: it \(what); install the file again"
        )
      }
      end = entry.offsets.upperBound
    }
    guard end == dataSize else {
      throw WeightsError(
        .damaged, file: path,
        detail: "has \(dataSize - end) bytes after its last tensor; install the file again")
    }
    return entries
  }

  private static func entry(
    _ tensor: HeaderJSON.Tensor, name: String, dataSize: Int, path: String
  ) throws(WeightsError) -> TensorEntry {
    func refuse(_ reason: WeightsError.Reason, _ detail: String) -> WeightsError {
      WeightsError(reason, file: path, tensor: name, detail: detail)
    }
    guard let type = ElementType(rawValue: tensor.dtype) else {
      throw refuse(
        .unsupportedType,
        "has element type \(tensor.dtype); only F32 and F16 are read, so export it as one of them")
    }
    guard tensor.data_offsets.count == 2, tensor.data_offsets[0] >= 0,
      tensor.data_offsets[0] <= tensor.data_offsets[1]
    else { throw refuse(.damaged, "has impossible offsets \(tensor.data_offsets); install the file again") }
    let offsets = tensor.data_offsets[0]..<tensor.data_offsets[1]
    guard offsets.upperBound <= dataSize else {
      throw refuse(
        .truncated,
        "ends at byte \(offsets.upperBound) of the data, but only \(dataSize) are there; install the file again"
      )
    }
    var bytes = type.size
    for extent in tensor.shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw refuse(.damaged, "has impossible shape \(tensor.shape)") }
      bytes = product
    }
    guard bytes == offsets.count else {
      throw refuse(
        .damaged,
        "of shape \(tensor.shape) and type \(tensor.dtype) needs \(bytes) bytes but has \(offsets.count); install the file again"
      )
    }
    return TensorEntry(type: type, shape: tensor.shape, offsets: offsets)
  }
}
