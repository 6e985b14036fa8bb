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
  ///
  /// Levels lie at the two ends of the workspace in turn, so that there are never more than two of them.
  func callAsFunction(
    _ transferred: FeatureMap, fields: StepwiseFields, workspace: Workspace, recorder: Recorder
  ) {
    workspace.scope {
      let marks = (front: workspace.mark(.front), back: workspace.mark(.back))
      var input = level(0, like: transferred, workspace)
      input.running.copy(transferred)
      for index in 0..<depth - 1 {
        let next = level(index + 1, like: transferred, workspace)
        align(index, input, into: next, fields, workspace, recorder)
        let end = Self.end(index)
        workspace.giveBack(end, to: end == .front ? marks.front : marks.back)
        input = next
      }
      align(depth - 1, input, into: nil, fields, workspace, recorder)
    }
  }

  /// The finest level, the fifth, lies in front, where a pass has used memory before.
  private static func end(_ level: Int) -> Workspace.End { level.isMultiple(of: 2) ? .front : .back }

  private func level(_ index: Int, like transferred: FeatureMap, _ workspace: Workspace) -> Level {
    let side = transferred.width << index
    func map() -> FeatureMap {
      workspace.map(
        images: 2, channels: fixedLayers[index].inputs, height: side, width: side, at: Self.end(index))
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
    if recorder.isOn { recordWarped(index, features, fields, workspace, recorder) }
    guard let next else { return }
    // One image after the other: what lies between two levels is as large as what lies in them.
    for image in 0..<2 {
      workspace.scope {
        let warped = workspace.map(channels: features.channels, height: side, width: side)
        warped.warp(features.image(image), by: image == 0 ? fields.fixed[index] : fields.moving[index])
        upsampling[index](
          warped, call: image, into: next.features.image(image), workspace: workspace, recorder: recorder)
      }
    }
  }

  private func recordWarped(
    _ index: Int, _ features: FeatureMap, _ fields: StepwiseFields, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    for (image, field) in [fields.fixed[index], fields.moving[index]].enumerated() {
      workspace.scope {
        let warped = workspace.map(
          channels: features.channels, height: features.height, width: features.width)
        warped.warp(features.image(image), by: field)
        recorder.record("cap.reg_net.warp#\(2 * index + image)", warped)
      }
    }
  }
}
