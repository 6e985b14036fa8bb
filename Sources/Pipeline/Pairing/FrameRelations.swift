// Which frames of reference registration objects relate, and the way from one to another. Pure.

import DICOM
import Imaging

/// The registrations of one patient, as a graph: frames of reference are joined by rigid transforms.
struct FrameRelations {
  /// One step between two frames.
  struct Step: Hashable {
    let from: String
    let to: String
    /// Positions in `from` to positions in `to`; nil where the object is not rigid.
    let transform: RigidTransform?
    let object: CataloguedInstance
  }

  private var steps: [String: [Step]] = [:]

  /// - Parameter objects: registrations of the catalogue; only those of `patient` count.
  init(_ objects: [CataloguedInstance], of patient: PatientKey) {
    // The newest first: what it says about two frames replaces what older ones say.
    for object in objects.filter({ PatientKey($0.instance) == patient }).sorted(by: Self.isNewer) {
      for step in Self.steps(of: object) { add(step) }
    }
  }

  private static func isNewer(_ a: CataloguedInstance, _ b: CataloguedInstance) -> Bool {
    func key(_ object: CataloguedInstance) -> (String, String, String) {
      let instance = object.instance
      return (instance.contentDate ?? "", instance.contentTime ?? "", instance.sopInstanceUID)
    }
    return key(a) > key(b)
  }

  private mutating func add(_ step: Step) {
    for step in [step, step.reversed] {
      let known = steps[step.from]?.contains {
        $0.to == step.to && ($0.transform != nil || step.transform == nil)
      }
      if known != true { steps[step.from, default: []].append(step) }
    }
  }

  private static func steps(of object: CataloguedInstance) -> [Step] {
    guard let registration = object.instance.registration, let target = registration.registeredFrameUID
    else { return [] }
    return registration.items.compactMap { item in
      guard let source = item.frameOfReferenceUID, source != target else { return nil }
      return Step(
        from: source, to: target,
        transform: registration.isDeformable ? nil : Self.rigid(item), object: object)
    }
  }

  /// The item's one rigid matrix. Several matrices, scaling and shear are not used.
  private static func rigid(_ item: SpatialRegistration.Item) -> RigidTransform? {
    guard item.matrices.count == 1, item.types == ["RIGID"] else { return nil }
    return try? RigidTransform(matrix: item.matrices[0])
  }

  /// What relates two frames of reference.
  enum Finding: Hashable {
    case none
    /// Positions in the first frame to positions in the second, and the objects that say so.
    case rigid(RigidTransform, objects: [CataloguedInstance])
    /// Only an object that is no single rigid matrix relates them.
    case notRigid(CataloguedInstance)
  }

  /// The way with the fewest steps, through rigid transforms alone where there is one.
  func relation(from start: String, to end: String) -> Finding {
    if let path = path(from: start, to: end, where: { $0.transform != nil }), !path.isEmpty {
      let transform = path.reduce(RigidTransform.identity) { ($1.transform ?? .identity).after($0) }
      return .rigid(transform, objects: path.map(\.object))
    }
    let path = path(from: start, to: end) { _ in true }
    return path?.first { $0.transform == nil }.map { .notRigid($0.object) } ?? .none
  }

  private func path(from start: String, to end: String, where usable: (Step) -> Bool) -> [Step]? {
    var paths: [String: [Step]] = [start: []]
    var front = [start]
    while !front.isEmpty, paths[end] == nil {
      var next: [String] = []
      for frame in front {
        for step in steps[frame, default: []] where usable(step) && paths[step.to] == nil {
          paths[step.to] = paths[frame, default: []] + [step]
          next.append(step.to)
        }
      }
      front = next
    }
    return paths[end]
  }
}

extension FrameRelations.Step {
  var reversed: Self { Self(from: to, to: from, transform: transform?.inverse, object: object) }
}
