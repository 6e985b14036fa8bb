// BSFA: bidirectional stepwise feature alignment. Five levels, coarse to fine, each a field for either image.

internal import Tensors

/// The fields of all levels, moving and fixed side.
struct StepwiseFields {
  /// φ of the fixed image per level, 2 × s × s, s = S/16 … S.
  let fixed: [FeatureMap]
  /// φ of the moving image per level.
  let moving: [FeatureMap]
}

struct StepwiseAlignment: Sendable {
  static let levels = 5

  /// Levels that are computed: those after the last field that is not zero everywhere are idle.
  let depth: Int
  private let fixedLayers: [RegistrationLayer]
  private let movingLayers: [RegistrationLayer]
  private let upsampling: [FeatureUpsampling]

  init(from reader: ParameterReader) throws(WeightsError) {
    let c = ParameterTable.registrationChannels
    depth = try Self.depth(reader)
    var layers: [[RegistrationLayer]] = [[], []]
    for side in 0..<2 {
      for level in 1...depth {
        layers[side].append(
          try RegistrationLayer(
            "reg_net.f\(side + 1)_FR\(level)", inputs: c[level - 1], outputs: c[level], from: reader))
      }
    }
    (fixedLayers, movingLayers) = (layers[0], layers[1])
    var upsampling: [FeatureUpsampling] = []
    for level in 1..<depth {
      upsampling.append(
        try FeatureUpsampling("reg_net.D.up\(level)", inputs: c[level - 1], outputs: c[level], from: reader))
    }
    self.upsampling = upsampling
  }

  private static func depth(_ reader: ParameterReader) throws(WeightsError) -> Int {
    for level in stride(from: levels, to: 1, by: -1) {
      for side in 1...2 {
        let field = try reader.convolution(
          "reg_net.f\(side)_FR\(level).flow_output.0", ParameterTable.registrationChannels[level - 1], 2,
          side: 3)
        if !reader.isIdle(field) { return level }
      }
    }
    return 1
  }

  /// What a level works on: the features of both images, 2 × C × s × s, and their running ones, which it overwrites.
  private struct Level {
    let features: FeatureMap
    let running: FeatureMap
  }

  /// transferred: 2 × 256 × S/16 × S/16. Written: the fields.
  func callAsFunction(
    _ transferred: FeatureMap, fields: StepwiseFields, workspace: Workspace, recorder: Recorder
  ) {
    workspace.scope {
      let last = depth - 1, finest = level(last, like: transferred, workspace)
      fill(finest, last, from: transferred, fields, workspace, recorder)
      align(last, finest, into: nil, fields, workspace, recorder)
    }
  }

  /// Makes a level's input out of the coarser ones. Room is taken from the finest level down and given back on the way up, so
  /// that a level has two inputs beside it, its own and the next one's, and no coarser one.
  private func fill(
    _ input: Level, _ index: Int, from transferred: FeatureMap, _ fields: StepwiseFields,
    _ workspace: Workspace, _ recorder: Recorder
  ) {
    guard index > 0 else { return input.running.copy(transferred) }
    workspace.scope {
      let coarser = level(index - 1, like: transferred, workspace)
      fill(coarser, index - 1, from: transferred, fields, workspace, recorder)
      align(index - 1, coarser, into: input, fields, workspace, recorder)
    }
  }

  private func level(_ index: Int, like transferred: FeatureMap, _ workspace: Workspace) -> Level {
    let side = transferred.width << index
    func map() -> FeatureMap {
      workspace.map(images: 2, channels: fixedLayers[index].inputs, height: side, width: side)
    }
    return Level(features: index == 0 ? transferred : map(), running: map())
  }

  /// One level: a field for either image, and the next level's input, if there is one.
  private func align(
    _ index: Int, _ input: Level, into next: Level?, _ fields: StepwiseFields, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    let features = input.features, side = features.width
    for (image, layer) in [fixedLayers[index], movingLayers[index]].enumerated() {
      let φ = image == 0 ? fields.fixed[index] : fields.moving[index]
      layer(
        input.running.image(image), both: features.concatenated, field: φ, next: next?.running.image(image),
        workspace: workspace, recorder: recorder)
      recorder.record("flow\(2 * index + image + 1)", φ)
    }
    guard next != nil || recorder.isOn else { return }
    workspace.scope {
      let warped = workspace.map(images: 2, channels: features.channels, height: side, width: side)
      warped.image(0).warp(features.image(0), by: fields.fixed[index])
      warped.image(1).warp(features.image(1), by: fields.moving[index])
      for image in 0..<2 { recorder.record("cap.reg_net.warp#\(2 * index + image)", warped, image: image) }
      if let next { upsampling[index](warped, into: next.features, workspace: workspace, recorder: recorder) }
    }
  }
}
