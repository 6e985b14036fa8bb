// How the fixed series' positions become the moving one's – chosen here and nowhere else.

import DICOM
public import Imaging

/// On whose word a position of the fixed series is a position of the moving one.
public enum PairTransform: Codable, Hashable, Sendable {
  /// Both series share a frame of reference.
  case sameFrame
  /// Spatial Registration objects relate the two frames.
  case registrationObjects(RigidTransform, [CataloguedInstance])
  /// To be found from the voxels, once both series are read.
  case rigid
  /// Frames differ or are missing; positions are trusted because the settings say so.
  case header

  /// Fixed to moving coordinates, mm; the identity where it is yet to be found.
  public var transform: RigidTransform {
    guard case .registrationObjects(let transform, _) = self else { return .identity }
    return transform
  }

  /// The registration objects it rests on.
  public var objects: [CataloguedInstance] {
    guard case .registrationObjects(_, let objects) = self else { return [] }
    return objects
  }

  /// Whether the voxels have to be registered.
  var isRigid: Bool {
    guard case .rigid = self else { return false }
    return true
  }

  /// Rung of the ladder within one study: a shared frame, a registration object, the voxels or trust.
  var rung: Int {
    switch self {
    case .sameFrame: 0
    case .registrationObjects: 1
    case .rigid, .header: 2
    }
  }
}

extension Pairing {
  /// How positions of `fixed` are found in `moving`, or why that is not known.
  ///
  /// In this order: one frame of reference; registration objects of the patient; and only then what
  /// `alignment.registration` allows.
  func transform(
    _ fixed: Series, _ moving: Series, _ relations: FrameRelations
  ) -> Result<PairTransform, PairRefusal> {
    if registration == .rigid { return .success(.rigid) }
    let frames = (fixed.first.frameOfReferenceUID, moving.first.frameOfReferenceUID)
    var unusable: CataloguedInstance?
    if let from = frames.0, let to = frames.1 {
      if from == to { return .success(.sameFrame) }
      switch relations.relation(from: from, to: to) {
      case .rigid(let transform, let objects): return .success(.registrationObjects(transform, objects))
      case .notRigid(let object): unusable = object
      case .none: break
      }
    }
    if registration == .header { return .success(.header) }
    if let unusable {
      return .failure(
        PairRefusal(
          reason: Refusal(
            "registration_not_rigid",
            "the registration object \(unusable.instance.sopInstanceUID) relates their frames of reference, but not "
              + "by one rigid matrix; export a rigid registration, or set alignment.registration to rigid")))
    }
    if registration == .auto { return .success(.rigid) }
    return .failure(
      PairRefusal(
        reason: Refusal(
          "different_frame_of_reference",
          "the two series have no common frame of reference, and no registration object relates theirs, and "
            + "alignment.registration is same-frame; set it to auto to have them registered")))
  }
}
