// One image made ready: its field at falling resolutions and the body in it.

internal import CKernels
public import Imaging

/// A volume prepared for registration; immutable, may be shared.
public struct Pyramid: Sendable {
  /// Pitch each level aims at, mm, finest first. An axis is halved while that leaves it below about the aim.
  static let pitches = [FieldGeometry.finestPitch, 2, 4, 8]
  /// Level on which the body is found.
  static let maskLevel = 2
  /// An axis is halved while its pitch times this is not above the level's aim.
  private static let slack = 1.7
  /// Fewer voxels along an axis are not halved.
  private static let leastLength = 8
  /// A stack of fewer slices has no depth to register.
  static let leastSlices = 3

  let levels: [Field]
  let body: Mask
  /// Centroid of the body, mm, and the root mean square distance of its voxels from there, mm.
  let center: SIMD3<Double>
  let radius: Double

  /// - Throws: `RegistrationError` where the volume has too few slices, no contrast or nothing above air.
  public init(_ volume: Volume) throws(RegistrationError) {
    let isa = fk_best_isa()
    guard volume.grid.slices >= Self.leastSlices else {
      throw RegistrationError(
        .tooFewSlices, "has \(volume.grid.slices) slice(s), at least \(Self.leastSlices) are needed")
    }
    let raw = RawField.about(volume, isa: isa)
    guard let map = IntensityMap(raw.values) else {
      throw RegistrationError(.noContrast, "has no contrast between object and background")
    }
    var levels = [map.apply(raw, isa: isa)]
    for pitch in Self.pitches.dropFirst() {
      levels.append(Self.coarser(levels[levels.count - 1], pitch, isa))
    }
    let body = Mask(above: IntensityMap.mappedThreshold, in: levels[Self.maskLevel]).body()
    guard let center = body.centroid else {
      throw RegistrationError(.noContrast, "shows nothing above its background")
    }
    self.levels = levels
    self.body = body
    self.center = center
    radius = max(body.spread(about: center), 1)
  }

  private static func coarser(_ field: Field, _ pitch: Double, _ isa: fk_isa) -> Field {
    var field = field
    for axis in 0..<3 {
      while field.geometry.spacing[axis] * slack <= pitch && field.geometry.size[axis] >= leastLength {
        field = field.halved(axis, isa: isa)
      }
    }
    return field
  }
}
