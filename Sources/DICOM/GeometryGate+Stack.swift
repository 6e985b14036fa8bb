// Second half of the gate: one frame a position, no gaps, and what is odd about the stack put into words.

internal import Imaging

#if canImport(Glibc)
  internal import Glibc
#endif

extension GeometryGate {
  /// Reduces sorted frames to one a position by the rules of `SeriesReader.plan`.
  func oneStack(
    _ sorted: [CandidateFrame], notes: inout [String]
  ) throws(DICOMError) -> [CandidateFrame] {
    var frames = sorted
    if firstDuplicate(frames) != nil, let kept = magnitude(frames) {
      frames = kept
      notes.append("magnitude images were kept of a series that also holds phase or complex ones")
    }
    if firstDuplicate(frames) != nil {
      frames = lowest(frames, "echo times", "ms", notes: &notes, by: \.geometry.echoTime)
    }
    if firstDuplicate(frames) != nil {
      frames = lowest(frames, "b-values", "s/mm²", notes: &notes, by: \.geometry.diffusionBValue)
    }
    guard frames.count >= 2 else {
      throw refuse(.tooFewSlices, "it has one slice of each contrast; a stack needs two")
    }
    guard let (a, b) = firstDuplicate(frames) else { return frames }
    if differInTime(frames) || repeats(frames) {
      throw refuse(
        .timeSeries, "\(label(a)) and \(label(b)) show one position in several volumes; split the series")
    }
    throw refuse(.duplicatePositions, "\(label(a)) and \(label(b)) are at the same position")
  }

  private func firstDuplicate(_ frames: [CandidateFrame]) -> (CandidateFrame, CandidateFrame)? {
    zip(frames, frames.dropFirst()).first { $1.depth - $0.depth < GeometryTolerance.samePosition }
  }

  /// The magnitude images, if some frames are marked so and some are not: value 4 of Frame Type, or any value of
  /// a classic Image Type after the first two.
  private func magnitude(_ frames: [CandidateFrame]) -> [CandidateFrame]? {
    let kept = frames.filter { frame in
      let type =
        frame.geometry.frameType.isEmpty
        ? instances[frame.instance].imageType : frame.geometry.frameType
      return type.dropFirst(2).contains { ["M", "MAGNITUDE"].contains($0) }
    }
    return kept.isEmpty || kept.count == frames.count ? nil : kept
  }

  private func lowest(
    _ frames: [CandidateFrame], _ what: String, _ unit: String, notes: inout [String],
    by value: (CandidateFrame) -> Double?
  ) -> [CandidateFrame] {
    let values = Set(frames.map { value($0) ?? 0 })
    guard values.count > 1, let least = values.min() else { return frames }
    notes.append("the lowest of \(values.count) \(what), \(least) \(unit), was kept")
    return frames.filter { (value($0) ?? 0) == least }
  }

  private func differInTime(_ frames: [CandidateFrame]) -> Bool {
    func several<Value: Hashable>(_ value: (CandidateFrame) -> Value) -> Bool {
      Set(frames.map(value)).count > 1
    }
    return several { $0.geometry.temporalIndex } || several { instances[$0.instance].triggerTime }
      || several { instances[$0.instance].acquisitionNumber }
      || several { instances[$0.instance].acquisitionTime }
  }

  /// Is every position there equally often? Then the series is several whole volumes, though nothing says when.
  private func repeats(_ frames: [CandidateFrame]) -> Bool {
    var counts = [1]
    for gap in frames.gaps {
      if gap < GeometryTolerance.samePosition { counts[counts.count - 1] += 1 } else { counts.append(1) }
    }
    return counts.count > 1 && Set(counts).count == 1
  }

  /// Refuses gaps; notes uneven spacing, which is interpolated at true positions.
  func checkSpacing(_ frames: [CandidateFrame], notes: inout [String]) throws(DICOMError) {
    let gaps = frames.gaps
    let median = Self.median(gaps)
    for (index, gap) in gaps.enumerated() {
      let (a, b) = (frames[index], frames[index + 1])
      let thickness = max(a.geometry.sliceThickness ?? 0, b.geometry.sliceThickness ?? 0)
      let limit = max(
        median * GeometryTolerance.gapOverMedian, thickness * GeometryTolerance.gapOverThickness)
      guard gap <= limit else {
        throw refuse(
          .sliceGap,
          "\(millimetres(gap)) mm lie between \(label(a)) and \(label(b)) where \(millimetres(median)) mm are "
            + "usual; slices are missing")
      }
    }
    guard let least = gaps.min(), let most = gaps.max(), most - least > GeometryTolerance.evenSpacing
    else { return }
    notes.append(
      "slices are \(millimetres(least))–\(millimetres(most)) mm apart; true positions are used")
  }

  /// Notes a tilted (sheared) or wandering stack; either is kept, since every slice has its own origin.
  func describeDrift(_ frames: [CandidateFrame], normal: SIMD3<Double>, notes: inout [String]) {
    let lateral = frames.map { $0.origin - dot($0.origin, normal) * normal }
    guard let first = lateral.first, let last = lateral.last,
      let height = frames.last.map({ $0.depth - frames[0].depth }), height > 0
    else { return }
    let shear = (last - first) / height
    let straight = zip(frames, lateral).allSatisfy { frame, point in
      length(point - first - (frame.depth - frames[0].depth) * shear) <= GeometryTolerance.drift
    }
    if !straight {
      notes.append("slices are shifted in their planes against each other; true positions are used")
    } else if length(last - first) > GeometryTolerance.drift {
      let degrees = atan(length(shear)) * 180 / Double.pi
      notes.append("the stack is tilted by \(tenths(degrees))° (gantry tilt); true positions are used")
    }
  }

  private func length(_ vector: SIMD3<Double>) -> Double { dot(vector, vector).squareRoot() }

  private func millimetres(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
