// What the ledger keeps of a prepared pair: normalisation, registration, working grid, notes.

import DICOM
import Imaging
import Provenance

/// How the moving series was brought into the fixed one's coordinates.
public struct AppliedRegistration: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// Both series share a frame of reference.
    case sameFrame = "same-frame"
    /// Spatial Registration objects relate their frames.
    case registrationObject = "registration-object"
    /// Found from the voxels.
    case rigid
    /// Frames differ or are missing; positions were trusted because the settings say so.
    case none
  }
  public let kind: Kind
  /// Fixed to moving coordinates, 4×4 row-major, mm; absent where none was applied.
  public let matrix: [Double]?
  /// SOP Instance UIDs of the registration objects it rests on; absent where there are none.
  public let objects: [String]?
  /// How the registration of the voxels went; absent for other kinds, and in a plan.
  public let rigid: RigidRecord?
  /// The object that tells other programs; absent where none was written.
  public var output: RegistrationOutput?
}

extension AppliedRegistration {
  init(_ transform: PairTransform) {
    switch transform {
    case .sameFrame: self.init(kind: .sameFrame, matrix: nil, objects: nil, rigid: nil)
    case .rigid: self.init(kind: .rigid, matrix: nil, objects: nil, rigid: nil)
    case .header: self.init(kind: .none, matrix: nil, objects: nil, rigid: nil)
    case .registrationObjects(let transform, let objects):
      self.init(
        kind: .registrationObject, matrix: transform.matrix, objects: objects.map(\.instance.sopInstanceUID),
        rigid: nil)
    }
  }
}

extension PairVolumes {
  private struct Details: Encodable {
    let columns: Int
    let rows: Int
    let pixel_mm: Double
    let antialias: Bool
    let fixed_notes: [String]
    let moving_notes: [String]
  }

  /// - Parameter object: the registration as an object, where it is written.
  func preparation(_ settings: Settings, object: RegistrationOutput? = nil) throws -> JobPreparation {
    var registration = registration
    registration.output = object
    let grid = grid(slice: 0)
    let details = Details(
      columns: grid.columns, rows: grid.rows, pixel_mm: grid.columnSpacing,
      antialias: settings.grid.antialias,
      fixed_notes: fixed.notes, moving_notes: moving.notes)
    return JobPreparation(
      normalizationFixed: try JSONDocument(encoding: fixedNormalization),
      normalizationMoving: try JSONDocument(encoding: movingNormalization),
      registration: try JSONDocument(encoding: registration),
      interpolation: settings.grid.interpolation.rawValue, details: try JSONDocument(encoding: details),
      plannedSlices: slices)
  }

  /// Refuses a pair whose moving series covers no slice of the fixed one.
  ///
  /// - Throws: `PairRefusal`; `DICOMError` where pixels cannot be decoded.
  func checkOverlap() throws {
    let isCovered = try (0..<slices).contains { try covers(slice: $0) }
    guard !isCovered else { return }
    throw PairRefusal(
      reason: Refusal(
        "no_overlap", "the moving series lies wholly outside the fixed one; check their positions"))
  }
}
