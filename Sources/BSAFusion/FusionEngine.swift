// One worker's engine: a model, a side, a workspace; a pure function of two planes. Single-threaded inside, unless its memory
// comes from `EngineMemory`.

public import Imaging
internal import Tensors

/// Aligns and fuses pairs of square planes of one side.
///
/// Not `Sendable`: every worker has its own. All memory of a pass is planned here, once.
public final class FusionEngine {
  /// Smallest side: below it a level of the alignment has a single pixel and its warp divides by zero.
  public static let smallestSide = 32
  /// Sides are multiples of a patch.
  public static let sideStep = ParameterTable.patch

  public let side: Int
  let model: FusionModel
  let workspace: Workspace
  private let position: [Float]
  private let damping: Damping?
  /// Memory for what `align` leaves until it is fused.
  let spare = SliceFeatures.Spare()

  /// Whether planes of this side can be worked on.
  static func takes(side: Int) -> Bool { side >= smallestSide && side.isMultiple(of: sideStep) }

  /// Plans the workspace for planes of `side × side` pixels, or takes `memory` that was made for that side and is used by
  /// nobody else.
  ///
  /// - Parameter modality: of the moving images (DICOM's Modality), where it is known. Weights may say how weak a flow means
  ///   nothing, and may say it for some modalities by themselves.
  ///
  /// Throws `unsupportedSide` unless the side is a multiple of 16 from 32 up.
  public init(
    model: FusionModel, side: Int, modality: String? = nil, memory: EngineMemory? = nil
  ) throws(FusionError) {
    precondition(memory.map { $0.side == side } ?? true, "memory of another side")
    guard Self.takes(side: side) else {
      throw FusionError(
        .unsupportedSide,
        "the network works on squares whose side is a multiple of \(Self.sideStep) from \(Self.smallestSide) up, not \(side); choose such a side for the working grid"
      )
    }
    self.model = model
    self.side = side
    damping = model.damping(modality: modality)
    workspace = memory?.take() ?? Workspace(capacity: WorkspacePlan.floats(side: side))
    position = model.transfer.positionTokens(side: side, workspace: workspace)
  }

  /// Size of the planned memory, and the most of it that passes have used so far.
  public var workspaceBytes: Int { workspace.bytes }
  var workspacePeak: Int { workspace.peak }
  var workspaceCapacity: Int { workspace.capacity }

  /// Aligns `moving` to `fixed` and fuses them. Both `side × side`, intensities 0…1.
  ///
  /// Throws `wrongPlaneSize` for other planes, `notFinite` for NaN or infinity in the input or the result.
  /// `trace`, if given, gets every intermediate (and makes the pass slower and its workspace larger).
  public func fuse(fixed: Plane, moving: Plane, trace: Trace? = nil) throws(FusionError) -> Fused {
    for (plane, name) in [(fixed, "fixed"), (moving, "moving")] { try check(plane, name) }
    let recorder = Recorder(trace: trace)
    guard trace == nil else {
      // A trace keeps what the pass never stores.
      let roomy = Workspace(capacity: WorkspacePlan.floats(side: side, traced: true))
      return try run(fixed, moving, roomy, recorder) { _, _ in true }
    }
    guard let second = workspace.second else {
      return try run(fixed, moving, workspace, recorder) { _, _ in true }
    }
    return try second.standBy { () throws(FusionError) -> Fused in
      try run(fixed, moving, workspace, recorder) { _, _ in true }
    }
  }

  /// Aligns `moving` to `fixed`, asks whether the deformation shall be used, and fuses the two with it or as they lie.
  ///
  /// `accept` gets the deformation and the moving image after it. Where it refuses them the result's flow is zero.
  /// Throws as `fuse(fixed:moving:trace:)`.
  public func fuse(
    fixed: Plane, moving: Plane, accepting accept: (_ flow: Flow, _ aligned: Plane) -> Bool
  ) throws(FusionError) -> Fused {
    for (plane, name) in [(fixed, "fixed"), (moving, "moving")] { try check(plane, name) }
    return try run(fixed, moving, workspace, Recorder(trace: nil), accept: accept)
  }

  /// Fuses the two as they lie, without a deformation: the alignment is left out, the flow is zero everywhere.
  ///
  /// Throws as `fuse(fixed:moving:trace:)`.
  public func fuseUndeformed(fixed: Plane, moving: Plane) throws(FusionError) -> Fused {
    for (plane, name) in [(fixed, "fixed"), (moving, "moving")] { try check(plane, name) }
    return try run(fixed, moving, workspace, Recorder(trace: nil), aligning: false) { _, _ in true }
  }

  func check(_ plane: Plane, _ name: String) throws(FusionError) {
    guard plane.columns == side, plane.rows == side else {
      throw FusionError(
        .wrongPlaneSize,
        "the \(name) plane has \(plane.columns)×\(plane.rows) pixels, the engine was made for \(side)×\(side); resample it onto the working grid"
      )
    }
    guard allFinite(plane.pixels) else {
      throw FusionError(
        .notFinite,
        "the \(name) plane holds a value that is not a finite number; check its rescaling and normalisation")
    }
  }

  private func run(
    _ fixed: Plane, _ moving: Plane, _ workspace: Workspace, _ recorder: Recorder,
    aligning: Bool = true, accept: (Flow, Plane) -> Bool
  ) throws(FusionError) -> Fused {
    try workspace.scope { () throws(FusionError) -> Fused in
      let flow = workspace.map(channels: 2, height: side, width: side)
      let fused = workspace.map(channels: 1, height: side, width: side)
      let (used, aligned) = try pass(
        fixed, moving, flow: flow, fused: fused, workspace, recorder, aligning: aligning, accept: accept)
      if recorder.isOn { recordWarped(moving, flow, workspace, recorder) }
      recorder.trace?("warped_img2.train_warp2D", [1, 1, side, side], aligned.pixels)
      return Fused(fused: try finite(fused), flow: used, moving: moving)
    }
  }

  /// The moving image by the sampler inside the network, as the reference's test script saves it.
  private func recordWarped(_ moving: Plane, _ flow: FeatureMap, _ workspace: Workspace, _ recorder: Recorder)
  {
    workspace.scope {
      let image = workspace.map(channels: 1, height: side, width: side)
      let warped = workspace.map(channels: 1, height: side, width: side)
      image.fill(from: moving.pixels)
      warped.warp(image, by: flow)
      recorder.record("warped_img2.test_Warper2d", warped)
    }
  }

  /// The network: images to flow and fused image. Gives the flow that was used and the moving image after it.
  private func pass(
    _ fixed: Plane, _ moving: Plane, flow: FeatureMap, fused: FeatureMap, _ workspace: Workspace,
    _ recorder: Recorder, aligning: Bool, accept: (Flow, Plane) -> Bool
  ) throws(FusionError) -> (Flow, Plane) {
    let tokenSide = side / ParameterTable.patch
    return try workspace.scope { () throws(FusionError) -> (Flow, Plane) in
      let shallow = workspace.map(
        images: 2, channels: model.encoder.written.shallow, height: side, width: side)
      let tokens = workspace.map(
        images: 2, channels: ParameterTable.hidden, height: tokenSide, width: tokenSide)
      try encode(
        fixed, moving, tokens: tokens, shallow: shallow, flow: flow, workspace, recorder, aligning: aligning)
      let used = try decide(moving, flow, accept)
      try model.decoder()(
        tokens: tokens, shallow: shallow, flow: flow, fused: fused, workspace: workspace, recorder: recorder)
      return used
    }
  }

  /// The first half: images to features and flow.
  func encode(
    _ fixed: Plane, _ moving: Plane, tokens: FeatureMap, shallow: FeatureMap, flow: FeatureMap,
    _ workspace: Workspace, _ recorder: Recorder, aligning: Bool
  ) throws(FusionError) {
    func map(_ channels: Int, _ side: Int) -> FeatureMap {
      workspace.map(images: 2, channels: channels, height: side, width: side)
    }
    try workspace.scope { () throws(FusionError) in
      let transferred = map(ParameterTable.hidden, tokens.height)
      workspace.scope {
        let images = map(1, side), features = map(model.encoder.written.features, side)
        images.fill(image: 0, from: fixed.pixels)
        images.fill(image: 1, from: moving.pixels)
        model.encoder(images, shallow: shallow, features: features, workspace: workspace, recorder: recorder)
        model.transfer(
          features, position: position, tokens: tokens, transferred: transferred, workspace: workspace,
          recorder: recorder)
      }
      guard aligning else { return flow.fill(0) }
      try align(transferred, flow, workspace, recorder)
      damping?.apply(to: flow, fixed: fixed, moving: moving)
    }
  }

  private func align(
    _ transferred: FeatureMap, _ flow: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) throws(FusionError) {
    let alignment = try model.alignment()
    workspace.scope {
      func fields() -> [FeatureMap] {
        (0..<alignment.depth).map { level in
          let side = side >> (StepwiseAlignment.levels - 1 - level)
          return workspace.map(channels: 2, height: side, width: side)
        }
      }
      let all = StepwiseFields(fixed: fields(), moving: fields())
      alignment(transferred, fields: all, workspace: workspace, recorder: recorder)
      DeformationField.integrate(all, into: flow, workspace: workspace, recorder: recorder)
    }
  }

  /// The flow as a field, and the moving image after it; a refused one becomes zero.
  private func decide(
    _ moving: Plane, _ flow: FeatureMap, _ accept: (Flow, Plane) -> Bool
  ) throws(FusionError) -> (Flow, Plane) {
    let field = try self.field(flow)
    let aligned = field.warp(moving)
    guard !accept(field, aligned) else { return (field, aligned) }
    flow.fill(0)
    let none = Plane(columns: side, rows: side)
    return (Flow(dx: none, dy: none), moving)
  }

  /// A computed flow as planes.
  func field(_ flow: FeatureMap) throws(FusionError) -> Flow {
    Flow(dx: try finite(flow.channels(0..<1)), dy: try finite(flow.channels(1..<2)))
  }

  /// A single channel as a plane.
  func finite(_ map: FeatureMap) throws(FusionError) -> Plane {
    let plane = Plane(columns: side, rows: side, pixels: map.values())
    guard allFinite(plane.pixels) else {
      throw FusionError(
        .notFinite,
        "the model gave a value that is not a finite number for these images; its weights are unusable")
    }
    return plane
  }
}
