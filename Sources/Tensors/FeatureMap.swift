// Planes of features in a workspace, and what is done to them one by one. A view: the workspace owns the memory.

internal import CKernels

/// B images × C channels of H × W Float planes, each with a border of zeros (see `fk_map`).
///
/// A map is valid until the workspace's scope in which it was made ends.
public struct FeatureMap {
  var view: fk_map

  public var images: Int { Int(view.images) }
  public var channels: Int { Int(view.channels) }
  public var height: Int { Int(view.height) }
  public var width: Int { Int(view.width) }

  /// One image of the batch.
  public func image(_ index: Int) -> FeatureMap {
    precondition(index < images, "image \(index) of \(images)")
    var part = self
    part.view.images = 1
    part.view.data += index * channels * view.stride
    return part
  }

  /// Some channels of a single image.
  public func channels(_ range: Range<Int>) -> FeatureMap {
    precondition(images == 1 && range.upperBound <= channels, "channels \(range) of \(images)×\(channels)")
    var part = self
    part.view.channels = Int32(range.count)
    part.view.data += range.lowerBound * view.stride
    return part
  }

  /// Some rows of every image, as a layer sees them that writes no others.
  func rows(_ range: Range<Int>) -> FeatureMap {
    var part = self
    part.view.height = Int32(range.count)
    part.view.data += range.lowerBound * (width + 1)
    part.view.more_above = view.more_above || range.lowerBound > 0
    part.view.more_below = view.more_below || range.upperBound < height
    return part
  }

  /// The images' channels one after the other, as those of one image.
  public var concatenated: FeatureMap {
    var whole = self
    whole.view.channels = view.channels * view.images
    whole.view.images = 1
    return whole
  }

  /// Plain row-major values of one image, `[C][H][W]`.
  public func values(image: Int = 0) -> [Float] {
    let count = channels * height * width
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress {
        withUnsafePointer(to: view) { fk_export($0, Int32(image), start) }
      }
      initialized = count
    }
  }

  /// Fills one image from plain row-major values `[C][H][W]`.
  public func fill(image: Int = 0, from values: [Float]) {
    precondition(values.count == channels * height * width, "values fill the image exactly")
    values.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      withUnsafePointer(to: view) { fk_import(start, $0, Int32(image)) }
    }
  }

  /// Fills every pixel with one value.
  public func fill(_ value: Float) {
    for plane in 0..<images * channels {
      for row in 0..<height {
        let start = view.data + plane * view.stride + row * (width + 1)
        start.update(repeating: value, count: width)
        start[width] = 0
      }
    }
  }

  /// Fills one image from tokens `[H·W][C]`, row-major.
  public func fill(image: Int = 0, from tokens: Tokens) {
    precondition(tokens.rows == height * width && tokens.columns == channels, "one token per pixel")
    withUnsafePointer(to: view) { fk_tokens_to_map(tokens.start, $0, Int32(image)) }
  }

  /// Copies a map of the same shape.
  public func copy(_ other: FeatureMap) {
    precondition(hasShape(of: other), "maps of one shape")
    for plane in 0..<images * channels {
      (view.data + plane * view.stride).update(
        from: other.view.data + plane * other.view.stride, count: height * (width + 1))
    }
  }

  func hasShape(of other: FeatureMap) -> Bool {
    images == other.images && channels == other.channels && height == other.height && width == other.width
  }
}

/// What is done to a result before it is stored.
public enum Activation: Sendable {
  case identity
  case relu
  /// Slope 0.01 below zero.
  case leakyReLU
  case tanh
  case sigmoid

  var code: fk_activation {
    switch self {
    case .identity: fk_identity
    case .relu: fk_relu
    case .leakyReLU: fk_leaky_relu
    case .tanh: fk_tanh
    case .sigmoid: fk_sigmoid
    }
  }
}
