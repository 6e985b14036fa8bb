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

  /// transferred: 2 × 256 × S/16 × S/16. Written: the fields.
  func callAsFunction(
    _ transferred: FeatureMap, fields: StepwiseFields, workspace: Workspace, recorder: Recorder
  ) {
    align(
      level: 0, features: transferred, running: [transferred.image(0), transferred.image(1)], fields: fields,
      workspace: workspace, recorder: recorder)
  }

  /// One level, then the finer ones: what a level leaves behind lives exactly as long as they need it.
  private func align(
    level: Int, features: FeatureMap, running: [FeatureMap], fields: StepwiseFields, workspace: Workspace,
    recorder: Recorder
  ) {
    let isLast = level == depth - 1, side = features.width
    workspace.scope {
      var next: [FeatureMap] = []
      for (image, layer) in [fixedLayers[level], movingLayers[level]].enumerated() {
        let φ = image == 0 ? fields.fixed[level] : fields.moving[level]
        let upsampled =
          isLast ? nil : workspace.map(channels: layer.outputs, height: 2 * side, width: 2 * side)
        layer(
          running[image], both: features.concatenated, field: φ, next: upsampled, workspace: workspace,
          recorder: recorder)
        recorder.record("flow\(2 * level + image + 1)", φ)
        if let upsampled { next.append(upsampled) }
      }
      if isLast && !recorder.isOn { return }
      let finer =
        isLast
        ? nil
        : workspace.map(images: 2, channels: upsampling[level].outputs, height: 2 * side, width: 2 * side)
      workspace.scope {
        let warped = workspace.map(images: 2, channels: features.channels, height: side, width: side)
        warped.image(0).warp(features.image(0), by: fields.fixed[level])
        warped.image(1).warp(features.image(1), by: fields.moving[level])
        for image in 0..<2 { recorder.record("cap.reg_net.warp#\(2 * level + image)", warped, image: image) }
        if let finer { upsampling[level](warped, into: finer, workspace: workspace, recorder: recorder) }
      }
      guard let finer else { return }
      align(
        level: level + 1, features: finer, running: next, fields: fields, workspace: workspace,
        recorder: recorder)
    }
  }
}
