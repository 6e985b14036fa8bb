// What comes of one slice – the picture, the planes it came from, and the numbers; making it is `SliceFuser`.

public import BSAFusion
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
  /// Nothing was fused: one of the images is constant, and the other one is the picture.
  public var showsOneImage: Bool { reason == AlignmentAcceptance.Reason.noContrast.rawValue }
  /// Fraction (0…1) of the grid that the moving series covers.
  public var coverage: Double
  /// Indices of the slices whose fields the deformation is the mean of, rising; only its own where it was not averaged.
  public var averaged: [Int]
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
  /// The deformation that was used; zero where it was refused.
  public let used: Flow
  /// The deformation the network predicted, used or not.
  public let predicted: Flow
  public let pixels: FusedPixels
  public let movingSlices: [Int]
  public var record: SliceRecord

  /// The moving plane after the deformation that was used; sampled when asked for.
  public var aligned: Plane { used.warp(moving) }
}
