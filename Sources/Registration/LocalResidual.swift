// How well a rigid pose fits everywhere: the shift that each part of the body would still like, mm.

internal import Imaging

/// Cuts the points into cubes and asks, for each, where along the three axes its own pairs of values look most like the
/// whole image's. One head on itself wants no shift anywhere; two different heads want another one in every cube.
struct LocalResidual {
  /// Edge of a cube, mm.
  static let edge = 40.0
  /// Shifts tried to either side along each axis, mm.
  static let reach = 10.0
  static let step = 2.0
  /// Cubes with fewer points on the moving image tell nothing.
  static let leastPoints: Int32 = 100

  let comparison: Comparison
  let transform: RigidTransform

  /// What the cubes say together.
  struct Summary {
    /// Length of the wanted shifts, mm, that a given share of the cubes' weight stays below. A cube weighs as much as its
    /// pairs gain between its worst and its best shift.
    let shift: Double
    /// What the cubes would gain by their wanted shifts, as a share of what they gain between worst and best: 0 where the
    /// pose is right, whatever the blur of the images.
    let misfit: Double
    /// What the cubes lose one step from their best shifts, as the same share: small where images are blurred.
    let sharpness: Double
  }

  /// Nil where no cube tells anything.
  func summary(share: Double) -> Summary? {
    _ = comparison.value(at: transform)
    let table = comparison.pointwiseInformation()
    let (groups, count) = grouped()
    let axes = (0..<3).map { profile(axis: $0, table, groups, count) }
    let cubes = (0..<count).compactMap { group -> [Wish]? in
      let along = axes.compactMap { $0[group] }
      return along.count == 3 ? along : nil
    }
    let lengths = cubes.map(Self.length).sorted { $0.shift < $1.shift }
    let total = lengths.reduce(0) { $0 + $1.weight }
    let gain = cubes.joined().reduce(0) { $0 + $1.gain }
    let loss = cubes.joined().reduce(0) { $0 + $1.loss }
    var sum = 0.0
    let middle = lengths.first { cube in
      sum += cube.weight
      return sum >= share * total
    }
    return middle.map {
      Summary(shift: $0.shift, misfit: gain / max(total, 1e-12), sharpness: loss / max(total, 1e-12))
    }
  }

  private static func length(_ along: [Wish]) -> (shift: Double, weight: Double) {
    let squares = along.reduce(0.0) { $0 + $1.shift * $1.shift }
    return (squares.squareRoot(), along.reduce(0.0) { $0 + $1.range })
  }

  /// What one cube would like along one axis.
  private struct Wish {
    /// Best shift, mm.
    let shift: Double
    /// What it gains over no shift, per point.
    let gain: Double
    /// What is lost one step to either side of the best, on average.
    let loss: Double
    /// From the worst shift to the best.
    let range: Double
  }

  private func grouped() -> ([UInt8], Int) {
    let points = comparison.points
    var numbers: [SIMD3<Int>: UInt8] = [:]
    let groups = (0..<points.count).map { i -> UInt8 in
      let place = SIMD3(Double(points.x[i]), Double(points.y[i]), Double(points.z[i])) / Self.edge
      let cube = SIMD3<Int>(place.rounded(.down))
      if let known = numbers[cube] { return known }
      let number = UInt8(min(numbers.count, 255))
      numbers[cube] = number
      return number
    }
    return (groups, min(numbers.count, 256))
  }

  /// Best shift along one axis and its gain per point, for each cube.
  private func profile(axis: Int, _ table: [Float], _ groups: [UInt8], _ count: Int) -> [Wish?] {
    let steps = Int(Self.reach / Self.step)
    var means = [[Double?]](repeating: [], count: count)
    for k in -steps...steps {
      var shift = SIMD3<Double>.zero
      shift[axis] = Double(k) * Self.step
      var (sums, counts) = ([Double](repeating: 0, count: 256), [Int32](repeating: 0, count: 256))
      comparison.sum(
        table, at: RigidTransform(rotation: .zero, translation: shift).after(transform), groups, &sums,
        &counts)
      for group in 0..<count {
        means[group].append(counts[group] >= Self.leastPoints ? sums[group] / Double(counts[group]) : nil)
      }
    }
    return means.map { values in
      let known = values.compactMap { $0 }
      guard known.count == 2 * steps + 1, let least = known.min() else { return nil }
      return Self.wish(known, least: least, middle: steps)
    }
  }

  /// The place of the highest value, by the parabola through it and its neighbours.
  private static func wish(_ values: [Double], least: Double, middle: Int) -> Wish {
    let at = values.indices.max { values[$0] < values[$1] } ?? middle
    var place = Double(at - middle)
    if at > 0 && at < values.count - 1 {
      let bend = values[at - 1] - 2 * values[at] + values[at + 1]
      if bend < 0 { place += (values[at - 1] - values[at + 1]) / (2 * bend) }
    }
    let sides = [at - 1, at + 1].filter(values.indices.contains).map { values[at] - values[$0] }
    return Wish(
      shift: place * step, gain: values[at] - values[middle], loss: sides.reduce(0, +) / Double(sides.count),
      range: values[at] - least)
  }
}
