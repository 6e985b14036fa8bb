// MMFF: multi-modal feature fusion. Four levels of (fixed, warped moving, fused so far) through a Restormer block each,
// then the shallow features of both images and the reconstruction.

internal import Tensors

struct FusionDecoder: Sendable {
  static let levels = 4

  /// Empty where the last of them gives zeros: then nothing of the tokens reaches the image.
  private let blocks: [RestormerBlock]
  /// P: both images' features to the next level.
  private let upFeatures: [Convolution]
  /// Q: the fused features to the next level.
  private let upFused: [Convolution]
  private let reconstruction: [RestormerBlock]
  /// What the last values mean; nil: their logistic function is the image.
  private let levels: GreyLevels?

  /// `affine`: what the shallow features are of the image, where they are not computed.
  init(from reader: ParameterReader, affine: AffineFeatures?, levels: GreyLevels?) throws(WeightsError) {
    self.levels = levels
    let c = ParameterTable.decoderChannels, isQuiet = try Self.isQuiet(reader)
    var blocks: [RestormerBlock] = [], upFeatures: [Convolution] = [], upFused: [Convolution] = []
    for level in 1...Self.levels where !isQuiet {
      blocks.append(
        try RestormerBlock(
          "fusion_net.F\(level)", inputs: ParameterTable.fusionInputs(level), outputs: c[level], from: reader)
      )
      guard level < Self.levels else { continue }
      let name = "fusion_net.up_sample\(level)"
      upFeatures.append(Convolution(try reader.convolution("\(name).up1.1", c[level - 1], c[level], side: 1)))
      upFused.append(Convolution(try reader.convolution("\(name).up3.1", c[level], c[level], side: 1)))
    }
    (self.blocks, self.upFeatures, self.upFused) = (blocks, upFeatures, upFused)
    reconstruction = [
      try RestormerBlock(
        "fusion_net.outLayer.0", inputs: 28, outputs: 12, from: reader,
        given: { whole in
          let given = isQuiet ? whole.droppingInputs(first: c[Self.levels]) : whole
          return affine?.replacing(in: given, after: isQuiet ? 0 : c[Self.levels]) ?? given
        }),
      try RestormerBlock("fusion_net.outLayer.1", inputs: 12, outputs: 1, from: reader),
    ]
  }

  /// Whether the finest fusion block is zero whatever comes in.
  private static func isQuiet(_ reader: ParameterReader) throws(WeightsError) -> Bool {
    let name = "fusion_net.F\(levels)", c = ParameterTable.decoderChannels[levels]
    let last = [
      try reader.convolution("\(name).mlp", ParameterTable.fusionInputs(levels), c, side: 1),
      try reader.convolution("\(name).mdta.conv4", c, c, side: 1),
      try reader.convolution("\(name).gdfn.conv", 4 * c, c, side: 1),
    ]
    return last.allSatisfy { reader.isIdle($0) }
  }

  /// tokens: 2 × 256 × S/16 × S/16 before injection; shallow: 2 × 8 × S × S, or what is given instead; flow: 2 × S × S.
  /// Written: fused, 1 × S × S in 0…1.
  func callAsFunction(
    tokens: FeatureMap, shallow: FeatureMap, flow: FeatureMap, fused: FeatureMap, workspace: Workspace,
    recorder: Recorder
  ) {
    workspace.scope {
      let side = flow.width, coarse = blocks.last?.outputs ?? 0, c = shallow.channels
      let input = workspace.map(channels: coarse + 2 * c, height: side, width: side)
      if !blocks.isEmpty {
        decode(
          level: 0, fixed: tokens.image(0), moving: tokens.image(1), fused: nil, flow: flow,
          into: input.channels(0..<coarse), workspace: workspace, recorder: recorder)
        recorder.record("cap.fusion_net.up_sample4#0", input.channels(0..<coarse))
      }
      input.channels(coarse..<coarse + c).copy(shallow.image(0))
      let warped = input.channels(coarse + c..<coarse + 2 * c)
      warped.warp(shallow.image(1), by: flow)
      recorder.record("cap.fusion_net.warp_flow#4", flow)
      recorder.record("cap.fusion_net.warp#4", warped)
      reconstruct(input, into: fused, workspace, recorder)
    }
  }

  private func reconstruct(
    _ input: FeatureMap, into fused: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    workspace.scope {
      let features = workspace.map(
        channels: reconstruction[0].outputs, height: input.height, width: input.width)
      reconstruction[0](input, into: features, workspace: workspace, recorder: recorder)
      reconstruction[1](features, into: fused, workspace: workspace, recorder: recorder)
      if let levels { fused.stretch(black: levels.black, white: levels.white) } else { fused.sigmoid() }
      recorder.record("fusion", fused)
    }
  }

  /// One level, then the finer ones. fixed, moving: C × s × s; `fused`: the features fused one level below, upsampled.
  private func decode(
    level: Int, fixed: FeatureMap, moving: FeatureMap, fused: FeatureMap?, flow: FeatureMap,
    into result: FeatureMap,
    workspace: Workspace, recorder: Recorder
  ) {
    let side = fixed.width, c = fixed.channels, block = blocks[level]
    workspace.scope {
      let g = workspace.map(channels: block.outputs, height: side, width: side)
      workspace.scope {
        let input = workspace.map(channels: 2 * c + (fused?.channels ?? 0), height: side, width: side)
        input.channels(0..<c).copy(fixed)
        warp(moving, by: flow, level: level, into: input.channels(c..<2 * c), workspace, recorder)
        if let fused { input.channels(2 * c..<input.channels).copy(fused) }
        block(input, into: g, workspace: workspace, recorder: recorder)
      }
      if level == Self.levels - 1 {
        result.resize(g, alignCorners: false, workspace: workspace)
        return
      }
      let name = "fusion_net.up_sample\(level + 1)"
      let nextFixed = upsampled(fixed, upFeatures[level], "\(name).up1", call: 0, workspace, recorder)
      let nextMoving = upsampled(moving, upFeatures[level], "\(name).up1", call: 1, workspace, recorder)
      let nextFused = upsampled(g, upFused[level], "\(name).up3", call: 0, workspace, recorder)
      decode(
        level: level + 1, fixed: nextFixed, moving: nextMoving, fused: nextFused, flow: flow, into: result,
        workspace: workspace, recorder: recorder)
    }
  }

  private func warp(
    _ moving: FeatureMap, by flow: FeatureMap, level: Int, into y: FeatureMap, _ workspace: Workspace,
    _ recorder: Recorder
  ) {
    workspace.scope {
      let field = workspace.map(channels: 2, height: moving.height, width: moving.width)
      field.shrink(flow: flow)
      recorder.record("cap.fusion_net.warp_flow#\(level)", field)
      y.warp(moving, by: field)
      recorder.record("cap.fusion_net.warp#\(level)", y)
    }
  }

  /// ReLU(up2(conv(x))): the 1×1 goes first, it commutes with the upsampling.
  private func upsampled(
    _ x: FeatureMap, _ convolution: Convolution, _ name: String, call: Int, _ workspace: Workspace,
    _ recorder: Recorder
  ) -> FeatureMap {
    let y = workspace.map(channels: convolution.outputs, height: 2 * x.height, width: 2 * x.width)
    workspace.scope {
      let reduced = workspace.map(channels: convolution.outputs, height: x.height, width: x.width)
      convolution(x, into: reduced, workspace: workspace)
      if recorder.isOn {
        y.resize(reduced, alignCorners: false, workspace: workspace)
        recorder.record("cap.\(name).1#\(call)", y)
        let large = workspace.map(channels: x.channels, height: y.height, width: y.width)
        large.resize(x, alignCorners: false, workspace: workspace)
        recorder.record("cap.\(name).0#\(call)", large)
      }
      y.resize(reduced, alignCorners: false, activation: .relu, workspace: workspace)
      recorder.record("cap.\(name)#\(call)", y)
    }
    return y
  }
}
