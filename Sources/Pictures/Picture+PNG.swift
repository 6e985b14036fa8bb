// Pictures as PNG bytes, through libpng – not as files.

import CPNG
import Imaging

extension Picture {
  /// Decodes a PNG of 8- or 16-bit grey or RGB. Narrower grey is widened exactly, a palette is written out as RGB,
  /// interlaced pictures are put together, gamma and profiles are ignored; transparency is refused.
  ///
  /// - Parameter name: what errors call it, e.g. its path.
  public init(png: [UInt8], name: String) throws(PictureError) {
    var layout = fp_layout()
    var memory: UnsafeMutableRawPointer?
    let status = png.withUnsafeBufferPointer { bytes in
      // An empty array may have no address; the seam wants one even for a size of 0.
      withUnsafePointer(to: UInt8(0)) { fp_decode(bytes.baseAddress ?? $0, bytes.count, &layout, &memory) }
    }
    defer { fp_free(memory) }
    guard status.code == FP_OK, let memory else { throw PictureError(status, subject: name) }
    let columns = Int(layout.columns)
    let rows = Int(layout.rows)
    let channels = Int(layout.channels)
    let count = columns * rows * channels
    if layout.bits == 16 {
      let samples = UnsafeBufferPointer(
        start: memory.bindMemory(to: UInt16.self, capacity: count), count: count)
      self.init(
        samples: samples, columns: columns, rows: rows, channels: channels, white: Depth.sixteen.white)
    } else {
      let samples = UnsafeBufferPointer(
        start: memory.bindMemory(to: UInt8.self, capacity: count), count: count)
      self.init(samples: samples, columns: columns, rows: rows, channels: channels, white: Depth.eight.white)
    }
  }

  /// The picture as a PNG, without time stamp or text: the same picture gives the same bytes.
  ///
  /// - Parameter name: what errors call it, e.g. its path.
  public func png(depth: Depth = .eight, name: String = "picture") throws(PictureError) -> [UInt8] {
    let layout = fp_layout(
      columns: Int32(columns), rows: Int32(rows), channels: Int32(channels.count),
      bits: Int32(depth.rawValue))
    switch depth {
    case .eight: return try Self.encode(layout, bytes, name: name)
    case .sixteen: return try Self.encode(layout, words, name: name)
    }
  }

  fileprivate static func encode<Sample: FixedWidthInteger>(
    _ layout: fp_layout, _ samples: [Sample], name: String
  ) throws(PictureError) -> [UInt8] {
    guard layout.columns > 0, layout.rows > 0 else {
      throw PictureError(.damaged, subject: name, detail: "a picture without pixels cannot be a PNG")
    }
    var memory: UnsafeMutablePointer<UInt8>?
    var size = 0
    let status = samples.withUnsafeBytes { bytes in
      withUnsafePointer(to: UInt8(0)) {
        fp_encode(layout, bytes.baseAddress ?? UnsafeRawPointer($0), &memory, &size)
      }
    }
    defer { fp_free(memory) }
    guard status.code == FP_OK, let memory else { throw PictureError(status, subject: name) }
    return [UInt8](UnsafeBufferPointer(start: memory, count: size))
  }
}

extension Samples {
  /// The samples as a PNG, without time stamp or text.
  public func png(name: String = "picture") throws(PictureError) -> [UInt8] {
    try Picture.encode(
      fp_layout(columns: Int32(columns), rows: Int32(rows), channels: Int32(channels), bits: 8), bytes,
      name: name)
  }
}

extension PictureError {
  fileprivate init(_ status: fp_status, subject: String) {
    let said = withUnsafeBytes(of: status.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let (reason, detail) =
      switch status.code {
      case Int32(FP_NOT_PNG): (Reason.notPNG, "not a PNG; give an 8- or 16-bit grey or RGB PNG")
      case Int32(FP_TRUNCATED): (.truncated, "incomplete: \(said); copy it again")
      case Int32(FP_ALPHA): (.transparent, "\(said), which has no place in a fusion; save it without alpha")
      case Int32(FP_TOO_LARGE): (.tooLarge, "\(said)")
      case Int32(FP_MEMORY): (.memory, "\(said)")
      default: (.damaged, "damaged PNG (\(said)); copy or export it again")
      }
    self.init(reason, subject: subject, detail: detail)
  }
}
