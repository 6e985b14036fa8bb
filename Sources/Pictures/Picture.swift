// A picture of grey or RGB values in 0…1, quantised to PNG samples and back – no colour spaces, no patient.

public import Imaging

/// A grey or RGB picture; planes hold values in 0…1, row-major, and all three have one size.
public enum Picture: Sendable, Hashable {
  case grey(Plane)
  case rgb(red: Plane, green: Plane, blue: Plane)

  /// Bits per sample in a file.
  public enum Depth: Int, Sendable {
    case eight = 8
    case sixteen = 16

    /// The sample that stands for 1.
    var white: Float { self == .eight ? 255 : 65535 }
  }

  /// One plane, or red, green and blue.
  public var channels: [Plane] {
    switch self {
    case .grey(let plane): [plane]
    case .rgb(let red, let green, let blue): [red, green, blue]
    }
  }

  public var columns: Int { channels[0].columns }
  public var rows: Int { channels[0].rows }

  /// The sample nearest to `value`: `value · white + 0.5`, clamped to 0…white and truncated, as the reference
  /// implementation of BSAFusion saves its results. NaN becomes 0.
  static func sample(_ value: Float, white: Float) -> Float {
    let scaled = value * white + 0.5
    return scaled > 0 ? min(scaled, white) : 0
  }

  /// Samples in `[row][column][channel]` order.
  func samples<Sample: FixedWidthInteger & UnsignedInteger>(
    as type: Sample.Type, white: Float
  ) -> [Sample] {
    let planes = channels
    precondition(
      planes.allSatisfy { $0.columns == columns && $0.rows == rows }, "the planes of a picture have one size")
    var samples = [Sample](repeating: 0, count: columns * rows * planes.count)
    for (channel, plane) in planes.enumerated() {
      for (index, value) in plane.pixels.enumerated() {
        samples[index * planes.count + channel] = Sample(Self.sample(value, white: white))
      }
    }
    return samples
  }

  /// 8-bit samples in `[row][column]` or `[row][column][red, green, blue]` order: what an 8-bit PNG of this
  /// picture holds, and what a Secondary Capture can take as pixel data.
  public var bytes: [UInt8] { samples(as: UInt8.self, white: Depth.eight.white) }

  /// 16-bit samples in the order of `bytes`.
  public var words: [UInt16] { samples(as: UInt16.self, white: Depth.sixteen.white) }

  /// A picture from samples in `[row][column][channel]` order, one or three channels.
  init<Sample: FixedWidthInteger>(
    samples: UnsafeBufferPointer<Sample>, columns: Int, rows: Int, channels: Int, white: Float
  ) {
    let planes = (0..<channels).map { channel in
      Plane(
        columns: columns, rows: rows,
        pixels: (0..<columns * rows).map { Float(samples[$0 * channels + channel]) / white })
    }
    self = planes.count == 1 ? .grey(planes[0]) : .rgb(red: planes[0], green: planes[1], blue: planes[2])
  }
}
