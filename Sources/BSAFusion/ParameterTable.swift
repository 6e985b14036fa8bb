// Names and shapes of the network's 466 tensors, from its structure – the values are elsewhere.

/// A parameter tensor: its name in a weights file and its shape, outermost axis first.
struct Parameter: Hashable, Sendable {
  let name: String
  let shape: [Int]
}

/// The official state dicts' keys, each behind the name of its net.
enum ParameterTable {
  /// Registration channels per level, S/16 first; level ℓ goes from entry ℓ − 1 to entry ℓ.
  static let registrationChannels = [256, 64, 32, 16, 8, 1]
  /// Decoder channels: features, then the outputs of the four fusion blocks.
  static let decoderChannels = [256, 64, 32, 16, 12]
  /// Features of a token.
  static let hidden = 256
  /// Side of a patch, pixels.
  static let patch = 16
  /// Side of the learned position map.
  static let positionSide = 256

  static let all: [Parameter] = encoder + transfer + registration + decoder

  private static var encoder: [Parameter] { restormer("encoder.rb1", 1, 8) + restormer("encoder.rb2", 8, 3) }

  private static var transfer: [Parameter] {
    let blocks = ["VitBLK1", "VitBLK2"].flatMap { block in
      (0..<2).flatMap { transformer("transfer.transfer.\(block).vit\($0)") }
    }
    return classifier("transfer.classifier") + classifier("transfer.modal_dis")
      + [
        Parameter(name: "transfer.transfer.cls1", shape: [1, 1, hidden]),
        Parameter(name: "transfer.transfer.cls2", shape: [1, 1, hidden]),
      ] + blocks
  }

  private static var registration: [Parameter] {
    let c = registrationChannels
    let layers = (1...2).flatMap { side in
      (1...5).flatMap { level in registrationLayer("reg_net.f\(side)_FR\(level)", c[level - 1], c[level]) }
    }
    let upsampling = (1...4).flatMap { level in
      convolution("reg_net.D.up\(level).up_sample.1", c[level - 1], c[level], 1)
        + convolution("reg_net.D.up\(level).conv1", c[level], c[level], 3)
    }
    return layers + upsampling
  }

  private static var decoder: [Parameter] {
    let c = decoderChannels
    let blocks = (1...4).flatMap { level in
      restormer("fusion_net.F\(level)", fusionInputs(level), c[level])
    }
    let upsampling = (1...3).flatMap { level in
      convolution("fusion_net.up_sample\(level).up1.1", c[level - 1], c[level], 1)
        + convolution("fusion_net.up_sample\(level).up3.1", c[level], c[level], 1)
    }
    return blocks + upsampling + restormer("fusion_net.outLayer.0", 28, 12)
      + restormer("fusion_net.outLayer.1", 12, 1)
  }

  /// Input channels of fusion block `level`: both images' features and, from level 2 on, the fused ones.
  static func fusionInputs(_ level: Int) -> Int {
    let c = decoderChannels
    return 2 * c[level - 1] + (level > 1 ? c[level - 1] : 0)
  }

  private static func convolution(_ name: String, _ inputs: Int, _ outputs: Int, _ side: Int) -> [Parameter] {
    [
      Parameter(name: "\(name).weight", shape: [outputs, inputs, side, side]),
      Parameter(name: "\(name).bias", shape: [outputs]),
    ]
  }

  private static func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> [Parameter] {
    [
      Parameter(name: "\(name).weight", shape: [outputs, inputs]),
      Parameter(name: "\(name).bias", shape: [outputs]),
    ]
  }

  private static func norm(_ name: String) -> [Parameter] {
    [Parameter(name: "\(name).weight", shape: [hidden]), Parameter(name: "\(name).bias", shape: [hidden])]
  }

  private static func restormer(_ name: String, _ inputs: Int, _ c: Int) -> [Parameter] {
    let attention = (1...3).flatMap {
      convolution("\(name).mdta.conv\($0).0", c, c, 1) + convolution("\(name).mdta.conv\($0).1", c, c, 3)
    }
    let gate = (1...2).flatMap {
      convolution("\(name).gdfn.Dconv\($0).0", c, 4 * c, 1)
        + convolution("\(name).gdfn.Dconv\($0).1", 4 * c, 4 * c, 3)
    }
    return convolution("\(name).mlp", inputs, c, 1) + attention + convolution("\(name).mdta.conv4", c, c, 1)
      + gate
      + convolution("\(name).gdfn.conv", 4 * c, c, 1)
  }

  private static func transformer(_ name: String) -> [Parameter] {
    [Parameter(name: "\(name).attention.qkv.weight", shape: [3 * hidden, hidden])]
      + linear("\(name).attention.out_proj", hidden, hidden) + linear("\(name).mlp.linear1", hidden, hidden)
      + linear("\(name).mlp.linear2", hidden, hidden) + norm("\(name).norm_layer1")
      + norm("\(name).norm_layer2")
  }

  private static func classifier(_ name: String) -> [Parameter] {
    [
      Parameter(name: "\(name).cls_token", shape: [1, 1, hidden]),
      Parameter(name: "\(name).embedding.patch_embedding.weight", shape: [hidden, 3, patch, patch]),
      Parameter(name: "\(name).embedding.patch_embedding.bias", shape: [hidden]),
      Parameter(name: "\(name).embedding.position_embedding", shape: [1, 1, positionSide, positionSide]),
    ] + (0..<2).flatMap { transformer("\(name).vit_blks.vit\($0)") } + norm("\(name).norm")
      + linear("\(name).head.0", hidden, hidden) + linear("\(name).head.2", hidden, 2)
  }

  private static func registrationLayer(_ name: String, _ inputs: Int, _ outputs: Int) -> [Parameter] {
    convolution("\(name).conv1x1.0", 2 * inputs, inputs, 1)
      + convolution("\(name).crossAtt1.conv1.0", inputs, inputs, 3)
      + convolution("\(name).crossAtt1.conv2.0", inputs, inputs, 3)
      + convolution("\(name).feature_output.0.feature_output.0", inputs, inputs, 3)
      + convolution("\(name).flow_output.0", inputs, 2, 3) + convolution("\(name).up1.1", inputs, outputs, 1)
  }
}
