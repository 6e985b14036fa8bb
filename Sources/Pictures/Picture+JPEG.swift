// Pictures as JPEG bytes, through libjpeg: for pages that people look at, never for data.

import CJPEG

/// 8-bit samples in `[row][column]` or `[row][column][red, green, blue]` order, on their way into a file.
public struct Samples: Sendable, Hashable {
  public let columns: Int
  public let rows: Int
  /// 1 grey, 3 RGB.
  public let channels: Int
  public let bytes: [UInt8]

  public init(columns: Int, rows: Int, channels: Int, bytes: [UInt8]) {
    precondition(channels == 1 || channels == 3, "grey or RGB")
    precondition(columns > 0 && rows > 0 && bytes.count == columns * rows * channels, "one byte a sample")
    self.columns = columns
    self.rows = rows
    self.channels = channels
    self.bytes = bytes
  }

  /// The samples as a baseline JPEG without subsampling: the same samples give the same bytes.
  ///
  /// - Parameters:
  ///   - quality: libjpeg's, 1…100.
  ///   - name: what errors call it.
  public func jpeg(quality: Int, name: String = "picture") throws(PictureError) -> [UInt8] {
    var memory: UnsafeMutablePointer<UInt8>?
    var size = 0
    let status = bytes.withUnsafeBufferPointer { buffer in
      // Never empty, see init.
      withUnsafePointer(to: UInt8(0)) {
        fj_encode(
          buffer.baseAddress ?? $0, Int32(columns), Int32(rows), Int32(channels), Int32(quality), &memory,
          &size)
      }
    }
    defer { fj_free(memory) }
    guard status.code == FJ_OK, let memory else {
      let said = withUnsafeBytes(of: status.message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw PictureError(.damaged, subject: name, detail: "cannot be a JPEG: \(said)")
    }
    return [UInt8](UnsafeBufferPointer(start: memory, count: size))
  }
}
