// One slice: network, its neighbours' deformations, the decision whether to deform, and the picture that comes out.

import BSAFusion
import DICOM
import Foundation
import Imaging

/// Fuses slices of one pair, one at a time; every worker has its own, all share what is prepared.
public final class SliceFuser {
  private let engine: FusionEngine
  private let volumes: PairVolumes
  private let prepared: PreparedSlices
  private let throughPlane: ThroughPlane
  private let depths: [Double]
  private let colour: ColourTable?
  private let maximumFolding: Double

  /// - Parameter prepared: shared by all workers that fuse these volumes with this model, and by nobody else.
  init(volumes: PairVolumes, model: FusionModel, settings: Settings, prepared: PreparedSlices) throws {
    self.volumes = volumes
    self.prepared = prepared
    engine = try FusionEngine(
      model: model, side: settings.grid.side, modality: volumes.pair.moving.modality)
    throughPlane = ThroughPlane(sigma: settings.alignment.throughPlane)
    depths = volumes.fixed.grid.depths
    colour = volumes.pair.rule.colour.flatMap(ColourTable.named)
    maximumFolding = settings.alignment.maximumFolding
  }

  /// Fuses one slice of the fixed series.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded; the engine's error, which is not expected for planes of the
  ///   working grid's size.
  public func fuse(slice index: Int) throws -> FusedSlice {
    let started = ContinuousClock.now
    let window = throughPlane.window(of: index, depths: depths)
    return try prepared.around(index, window: window, prepare: prepare) { slices in
      guard let own = zip(window, slices).first(where: { $0.0 == index })?.1 else {
        preconditionFailure("a slice is in its own window")
      }
      var watch = LapTimer()
      var timings = own.record.timings
      let (flow, record) = chosen(own, window: window, slices: slices, index: index)
      timings.judge += watch.lap()
      let used = record.accepted ? flow : Flow.none(like: own.planes.fixed)
      let fused = try own.single(record) ?? engine.fuse(own.alignment, moving: own.input, by: used)
      timings.network += watch.lap()
      var slice = compose(own, index: index, fused: fused, predicted: flow, record: record)
      timings.compose = watch.lap()
      slice.record.timings = timings
      slice.record.seconds = (ContinuousClock.now - started) / .seconds(1)
      return slice
    }
  }

  /// A slice on its own: both images, the network's deformation, and what that is worth.
  private func prepare(_ index: Int) throws -> PreparedSlice {
    var watch = LapTimer()
    var timings = SliceTimings()
    let planes = try volumes.planes(slice: index)
    timings.resample = watch.lap()
    let picture = colour.map { ColourPicture(planes.moving, table: $0) }
    let input = picture?.luminance ?? planes.moving
    let alignment = try engine.align(fixed: planes.fixed, moving: input)
    timings.network = watch.lap()
    let baseline = AlignmentAcceptance.Baseline(fixed: planes.fixed, moving: input, inside: planes.inside)
    var record = judge(planes, input, baseline, alignment.flow, averaged: [index])
    timings.judge = watch.lap()
    record.timings = timings
    return PreparedSlice(
      planes: planes, picture: picture, input: input, alignment: alignment, baseline: baseline, record: record
    )
  }

  /// The mean of the neighbours' deformations where it may be used, else the slice's own.
  private func chosen(_ own: PreparedSlice, window: [Int], slices: [PreparedSlice], index: Int) -> (
    Flow, SliceRecord
  ) {
    if let mean = throughPlane.field(of: index, window: window, slices: slices, depths: depths) {
      let record = judge(
        own.planes, own.input, own.baseline, mean, averaged: ThroughPlane.voices(window, slices).map(\.0))
      if record.accepted { return (mean, record) }
    }
    return (own.alignment.flow, own.record)
  }

  private func compose(
    _ own: PreparedSlice, index: Int, fused: Fused, predicted: Flow, record: SliceRecord
  ) -> FusedSlice {
    let planes = own.planes
    let view = FieldOfView(
      inside: planes.inside, columns: planes.grid.columns, rows: planes.grid.rows, flow: fused.flow)
    let image = view.compose(fused.fused, fixed: planes.fixed)
    return FusedSlice(
      index: index, grid: planes.grid, fixed: planes.fixed, moving: planes.moving,
      used: fused.flow, predicted: predicted,
      pixels: own.picture.map { .rgb($0.coloured(image, flow: fused.flow).interleavedBytes) }
        ?? .grey(Colour.bytes(image)),
      movingSlices: planes.movingSlices, record: record)
  }

  /// Whether a deformation may be used, with the numbers that decide it.
  private func judge(
    _ planes: SlicePlanes, _ input: Plane, _ baseline: AlignmentAcceptance.Baseline, _ flow: Flow,
    averaged: [Int]
  ) -> SliceRecord {
    let statistics = DeformationStatistics(flow: flow, mask: planes.inside)
    let decision = AlignmentAcceptance(maximumFolding: maximumFolding).judge(
      baseline, aligned: flow.warp(input), folding: statistics.foldedFraction)
    let pixel = planes.grid.columnSpacing
    return SliceRecord(
      meanMillimetres: statistics.meanPixels * pixel, maxMillimetres: statistics.maxPixels * pixel,
      folding: statistics.foldedFraction, similarityBefore: decision.before, similarityAfter: decision.after,
      accepted: decision.accepted, reason: decision.reason?.rawValue, coverage: planes.insideFraction,
      averaged: averaged, seconds: 0, timings: SliceTimings())
  }
}

extension PreparedSlice {
  /// Where one of the images is constant there is nothing to fuse: the other one, as it lies. Else nil.
  ///
  /// The network normalises every plane over the image. Of a constant one only rounding is left, and what it makes of that
  /// has grey values that neither image has.
  fileprivate func single(_ record: SliceRecord) -> Fused? {
    guard record.showsOneImage else { return nil }
    func contrast(_ plane: Plane) -> Float {
      let seen = zip(plane.pixels, planes.inside).lazy.filter { $0.1 }.map { $0.0 }
      return (seen.max() ?? 0) - (seen.min() ?? 0)
    }
    let shown = contrast(planes.fixed) < contrast(input) ? input : planes.fixed
    return Fused(fused: shown, flow: Flow.none(like: shown), moving: input)
  }
}

extension Flow {
  /// No displacement anywhere.
  fileprivate static func none(like plane: Plane) -> Flow {
    let zero = Plane(columns: plane.columns, rows: plane.rows)
    return Flow(dx: zero, dy: zero)
  }
}
