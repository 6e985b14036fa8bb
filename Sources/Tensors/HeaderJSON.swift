// The JSON of a safetensors header as it stands, before any check.

internal import FoundationEssentials

/// Tensors by name beside the one key of another form, `__metadata__`.
struct HeaderJSON: Decodable {
  struct Tensor: Decodable {
    let dtype: String
    let shape: [Int]
    // swift-format-ignore: AlwaysUseLowerCamelCase
    let data_offsets: [Int]
  }

  static let metadataKey = "__metadata__"

  var tensors: [String: Tensor] = [:]
  var metadata: [String: String] = [:]

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(tensors: [String: Tensor], metadata: [String: String]) {
    (self.tensors, self.metadata) = (tensors, metadata)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for key in container.allKeys {
      if key.stringValue == Self.metadataKey {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        tensors[key.stringValue] = try container.decode(Tensor.self, forKey: key)
      }
    }
  }

  static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws(WeightsError) -> HeaderJSON {
    if let plain = PlainHeader.read(bytes) { return plain }
    do {
      return try JSONDecoder().decode(HeaderJSON.self, from: Data(bytes))
    } catch {
      throw WeightsError(
        .notSafetensors, file: path,
        detail: "its header is not the JSON of a safetensors file; convert or install it again")
    }
  }
}
