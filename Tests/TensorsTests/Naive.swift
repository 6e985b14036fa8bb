// Operators written the obvious way in double, as twins of the kernels.

import Testing

@testable import Tensors

/// Numbers that look random and are the same every time.
struct Numbers {
  var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  /// In [−1, 1).
  mutating func next() -> Float {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Float(state >> 40) * 0x1p-23 - 1
  }

  mutating func array(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// Plain planes `[C][H][W]` in double.
struct Planes {
  var channels: Int
  var height: Int
  var width: Int
  var values: [Double]

  init(channels: Int, height: Int, width: Int, values: [Double]) {
    (self.channels, self.height, self.width, self.values) = (channels, height, width, values)
  }

  init(_ map: FeatureMap, image: Int = 0) {
    self.init(
      channels: map.channels, height: map.height, width: map.width,
      values: map.values(image: image).map(Double.init))
  }

  /// Zero outside.
  subscript(c: Int, y: Int, x: Int) -> Double {
    y >= 0 && y < height && x >= 0 && x < width ? values[(c * height + y) * width + x] : 0
  }

  static func make(_ channels: Int, _ height: Int, _ width: Int, _ value: (Int, Int, Int) -> Double) -> Planes
  {
    var values: [Double] = []
    for c in 0..<channels { for y in 0..<height { for x in 0..<width { values.append(value(c, y, x)) } } }
    return Planes(channels: channels, height: height, width: width, values: values)
  }

  func map(_ f: (Double) -> Double) -> Planes {
    Planes(channels: channels, height: height, width: width, values: values.map(f))
  }

  func convolved(_ p: ConvolutionParameters) -> Planes {
    let reach = p.taps == 9 ? 1 : 0, side = 2 * reach + 1
    return .make(p.outputs, height, width) { o, y, x in
      var sum = Double(p.bias[o])
      for i in 0..<p.inputs {
        for dy in -reach...reach {
          for dx in -reach...reach {
            let tap = (dy + reach) * side + dx + reach
            sum += Double(p.weights[(o * p.inputs + i) * p.taps + tap]) * self[i, y + dy, x + dx]
          }
        }
      }
      return sum
    }
  }

  /// Every plane to mean 0 and variance 1 (eps 1e-5).
  var normalized: Planes {
    let size = height * width
    let moments = (0..<channels).map { c in
      let plane = values[c * size..<(c + 1) * size], mean = plane.reduce(0, +) / Double(size)
      return (mean, plane.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size))
    }
    return .make(channels, height, width) { c, row, column in
      (self[c, row, column] - moments[c].0) / (moments[c].1 + 1e-5).squareRoot()
    }
  }

  func resized(_ outHeight: Int, _ outWidth: Int, alignCorners: Bool) -> Planes {
    func source(_ i: Int, _ n: Int, _ out: Int) -> Double {
      alignCorners
        ? (out > 1 ? Double(i) * Double(n - 1) / Double(out - 1) : 0)
        : max(0, (Double(i) + 0.5) * Double(n) / Double(out) - 0.5)
    }
    return .make(channels, outHeight, outWidth) { c, y, x in
      bilinear(c, source(y, height, outHeight), source(x, width, outWidth), clamped: true)
    }
  }

  /// Outside: the nearest pixel, or zero.
  func bilinear(_ c: Int, _ y: Double, _ x: Double, clamped: Bool) -> Double {
    let top = Int(y.rounded(.down)), left = Int(x.rounded(.down)), fy = y - Double(top), fx = x - Double(left)
    func at(_ y: Int, _ x: Int) -> Double {
      clamped ? self[c, min(max(y, 0), height - 1), min(max(x, 0), width - 1)] : self[c, y, x]
    }
    return (1 - fy) * ((1 - fx) * at(top, left) + fx * at(top, left + 1))
      + fy * ((1 - fx) * at(top + 1, left) + fx * at(top + 1, left + 1))
  }

  func adding(_ other: Planes) -> Planes {
    Planes(
      channels: channels, height: height, width: width, values: zip(values, other.values).map { $0 + $1 })
  }

  func multiplied(by other: Planes) -> Planes {
    Planes(
      channels: channels, height: height, width: width, values: zip(values, other.values).map { $0 * $1 })
  }

  func difference(_ other: Planes) -> Double {
    guard values.count == other.values.count else { return .infinity }
    return zip(values, other.values).map { abs($0 - $1) }.max() ?? 0
  }
}

/// Tests of the kernels, each with every instruction set of this machine.
@Suite struct KernelTests {}

/// Heights and widths in whole tiles of 4 × 4: one tile, few, one row of many, more rows than a chunk takes.
let tiledSizes = [(4, 4), (8, 12), (16, 16), (20, 36), (4, 260), (72, 8)]

/// Heights and widths that no vector or tile divides.
let awkwardSizes = [(1, 1), (1, 7), (7, 1), (2, 2), (17, 31), (16, 16)]

extension Workspace {
  /// Memory as a pass finds it: full of what was there before.
  static func dirty(capacity: Int) -> Workspace {
    let workspace = Workspace(capacity: capacity)
    workspace.scope {
      workspace.floats(capacity - Workspace.slack).update(repeating: .nan, count: capacity - Workspace.slack)
    }
    return workspace
  }

  func copy(of map: FeatureMap) -> FeatureMap {
    let copy = self.map(images: map.images, channels: map.channels, height: map.height, width: map.width)
    copy.copy(map)
    return copy
  }

  /// A map of numbers.
  func numbers(images: Int = 1, channels: Int, height: Int, width: Int, seed: UInt64) -> FeatureMap {
    let map = map(images: images, channels: channels, height: height, width: width)
    var numbers = Numbers(seed)
    for image in 0..<images { map.fill(image: image, from: numbers.array(channels * height * width)) }
    return map
  }
}

extension ConvolutionParameters {
  static func numbers(_ inputs: Int, _ outputs: Int, taps: Int, seed: UInt64) -> ConvolutionParameters {
    var numbers = Numbers(seed)
    let scale = 1 / Float(inputs * taps).squareRoot()
    return ConvolutionParameters(
      outputs: outputs, inputs: inputs, taps: taps,
      weights: numbers.array(outputs * inputs * taps).map { $0 * scale }, bias: numbers.array(outputs))
  }
}

/// Runs a body with each instruction set that this machine has, on this thread.
func withEveryInstructionSet(_ body: (Machine.InstructionSet) throws -> Void) rethrows {
  let all = Machine.InstructionSet.allCases
  let best = all.firstIndex(of: Machine.bestInstructions) ?? 0
  let before = Machine.instructions
  defer { Machine.use(before) }
  for instructions in all[...best] {
    Machine.use(instructions)
    try body(instructions)
  }
}
