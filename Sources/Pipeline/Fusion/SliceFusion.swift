// One slice: network, the decision whether its deformation is used, and the picture that comes out.

public import BSAFusion
import Foundation
public import Imaging

/// What was done to one slice, in numbers.
public struct SliceRecord: Codable, Hashable, Sendable {
  /// Mean and largest length of the predicted displacement, mm.
  public var meanMillimetres: Double
  public var maxMillimetres: Double
  /// Fraction (0…1) of pixels whose Jacobian determinant is not positive.
  public var folding: Double
  /// Mutual information of the pair without and with the deformation, bits.
  public var similarityBefore: Double
  public var similarityAfter: Double
  /// Was the deformation used?
  public var accepted: Bool
  /// Why not, as a stable code.
  public var reason: String?
  /// Fraction (0…1) of the grid that the moving series covers.
  public var coverage: Double
  /// Until the picture was there; writing it is not part of it.
  public var seconds: Double
  public var timings: SliceTimings
}

/// The pixels of a fused slice, row-major.
public enum FusedPixels: Sendable {
  case grey([UInt8])
  /// Interleaved R, G, B.
  case rgb([UInt8])
}

/// A fused slice and the planes it came from, all on the working grid, 0…1.
public struct FusedSlice: Sendable {
  public let index: Int
  public let grid: PlaneGrid
  public let fixed: Plane
  public let moving: Plane
  public let aligned: Plane
  /// The deformation the network predicted, used or not.
  public let predicted: Flow
  public let pixels: FusedPixels
  public let movingSlices: [Int]
  public let record: SliceRecord
}

/// Fuses slices of one pair, one at a time; every worker has its own.
public final class SliceFuser {
  private let engine: FusionEngine
  private let volumes: PairVolumes
  private let colour: ColourTable?
  private let maximumFolding: Double

  public init(volumes: PairVolumes, model: FusionModel, settings: Settings) throws {
    self.volumes = volumes
    engine = try FusionEngine(model: model, side: settings.grid.side)
    colour = volumes.pair.rule.colour.flatMap(ColourTable.named)
    maximumFolding = settings.alignment.maximumFolding
  }

  /// Fuses one slice of the fixed series.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded; the engine's error, which is not expected for planes of the
  ///   working grid's size.
  public func fuse(slice index: Int) throws -> FusedSlice {
    let started = ContinuousClock.now
    var watch = LapTimer()
    var timings = SliceTimings()
    let planes = try volumes.planes(slice: index)
    timings.resample = watch.lap()
    let picture = colour.map { ColourPicture(planes.moving, table: $0) }
    let input = picture?.luminance ?? planes.moving
    var judged: (record: SliceRecord, predicted: Flow)?
    let fused = try engine.fuse(fixed: planes.fixed, moving: input) { flow, aligned in
      timings.network = watch.lap()
      let record = judge(planes, input, flow, aligned)
      judged = (record, flow)
      timings.judge = watch.lap()
      return record.accepted
    }
    timings.network += watch.lap()
    guard case (var record, let predicted)? = judged else {
      preconditionFailure("every deformation is judged")
    }
    let view = FieldOfView(
      inside: planes.inside, columns: planes.grid.columns, rows: planes.grid.rows, flow: fused.flow)
    let image = view.compose(fused.fused, fixed: planes.fixed)
    let pixels =
      picture.map { FusedPixels.rgb($0.coloured(image, flow: fused.flow).interleavedBytes) }
      ?? .grey(Colour.bytes(image))
    let aligned = fused.flow.warp(planes.moving)
    timings.compose = watch.lap()
    record.timings = timings
    record.seconds = (ContinuousClock.now - started) / .seconds(1)
    return FusedSlice(
      index: index, grid: planes.grid, fixed: planes.fixed, moving: planes.moving, aligned: aligned,
      predicted: predicted, pixels: pixels, movingSlices: planes.movingSlices, record: record)
  }

  /// Whether the predicted deformation may be used, with the numbers that decide it.
  private func judge(
    _ planes: SlicePlanes, _ input: Plane, _ flow: Flow, _ aligned: Plane
  ) -> SliceRecord {
    let statistics = DeformationStatistics(flow: flow, mask: planes.inside)
    let decision = AlignmentAcceptance(maximumFolding: maximumFolding).judge(
      fixed: planes.fixed, moving: input, aligned: aligned, inside: planes.inside,
      folding: statistics.foldedFraction)
    let pixel = planes.grid.columnSpacing
    return SliceRecord(
      meanMillimetres: statistics.meanPixels * pixel, maxMillimetres: statistics.maxPixels * pixel,
      folding: statistics.foldedFraction, similarityBefore: decision.before, similarityAfter: decision.after,
      accepted: decision.accepted, reason: decision.reason?.rawValue, coverage: planes.insideFraction,
      seconds: 0, timings: SliceTimings())
  }
}
