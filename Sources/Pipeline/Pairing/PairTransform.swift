// How the fixed series' positions become the moving one's – chosen here and nowhere else.

import DICOM
public import Imaging

/// On whose word a position of the fixed series is a position of the moving one.
public enum PairTransform: Codable, Hashable, Sendable {
  /// Both series share a frame of reference.
  case sameFrame
  /// Spatial Registration objects relate the two frames.
  case registrationObjects(RigidTransform, [CataloguedInstance])
  /// Frames differ or are missing; positions are trusted because the settings say so.
  case header

  /// Fixed to moving coordinates, mm.
  public var transform: RigidTransform {
    guard case .registrationObjects(let transform, _) = self else { return .identity }
    return transform
  }

  /// The registration objects it rests on.
  public var objects: [CataloguedInstance] {
    guard case .registrationObjects(_, let objects) = self else { return [] }
    return objects
  }

  /// Rung of the ladder within one study: a shared frame, a registration, trust.
  var rung: Int {
    switch self {
    case .sameFrame: 0
    case .registrationObjects: 1
    case .header: 2
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
              + "by one rigid matrix; export a rigid registration")))
    }
    return .failure(
      PairRefusal(
        reason: Refusal(
          "different_frame_of_reference",
          "the two series have no common frame of reference, and no registration object relates theirs, so where "
            + "one lies in the other is not known; set alignment.registration to header if their positions can be "
            + "trusted all the same")))
  }
}
