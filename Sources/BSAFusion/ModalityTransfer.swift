// Modality-discrepancy-free features: each image's tokens get the other's class token and pass their own ViT blocks.

internal import Tensors

struct ModalityTransfer: Sendable {
  private let embedding: PatchEmbedding
  private let classifier: ModalityClassifier
  /// Where a trace reads the discriminator from, which judges the transferred tokens in training only.
  private let reader: ParameterReader
  private let learned: [[Float]]
  private let blocks: [[TransformerBlock]]

  init(from reader: ParameterReader, affine: AffineFeatures?) throws(WeightsError) {
    embedding = try PatchEmbedding("transfer.classifier.embedding", affine: affine, from: reader)
    classifier = try ModalityClassifier("transfer.classifier", from: reader)
    self.reader = reader
    learned = [try reader.token("transfer.transfer.cls1"), try reader.token("transfer.transfer.cls2")]
    var blocks: [[TransformerBlock]] = []
    for image in 1...2 {
      let name = "transfer.transfer.VitBLK\(image)"
      blocks.append([
        try TransformerBlock("\(name).vit0", from: reader),
        try TransformerBlock("\(name).vit1", from: reader),
      ])
    }
    self.blocks = blocks
  }

  func positionTokens(side: Int, workspace: Workspace) -> [Float] {
    embedding.positionTokens(side: side, workspace: workspace)
  }

  /// features: 2 × 3 × S × S, or what is given instead. Written, each 2 × 256 × S/16 × S/16: `tokens`, the features before injection (fused
  /// later), and `transferred`, those after it (aligned later).
  func callAsFunction(
    _ features: FeatureMap, position: [Float], tokens maps: FeatureMap, transferred: FeatureMap,
    workspace: Workspace, recorder: Recorder
  ) {
    let count = maps.height * maps.width, length = count + 1
    workspace.scope {
      let tokens = workspace.tokens(rows: 2 * length, columns: ParameterTable.hidden)
      for image in 0..<2 {
        let patches = tokens[image * length + 1..<(image + 1) * length]
        embedding(features, image: image, position: position, into: patches, workspace: workspace)
        recorder.record("cap.transfer.classifier.embedding#\(image)", patches)
      }
      classifier(tokens, workspace: workspace, recorder: recorder)
      if recorder.isOn {
        classifier.recordHead(tokens, as: ["cls.pre1", "cls.pre2"], workspace: workspace, recorder: recorder)
      }
      for image in 0..<2 {
        maps.fill(image: image, from: tokens[image * length + 1..<(image + 1) * length])
        recorder.record(image == 0 ? "classifier.AU" : "classifier.BU", maps, image: image)
        inject(tokens, image, into: transferred, workspace, recorder)
      }
      if recorder.isOn { recordDiscriminator(transferred, tokens, workspace, recorder) }
    }
  }

  /// z = [U + the other's class token; learned token] through the image's blocks. The map takes z from index 1 on: its
  /// position p holds patch p + 1 and its last one the learned token. The trained weights expect this shift.
  private func inject(
    _ tokens: Tokens, _ image: Int, into transferred: FeatureMap, _ workspace: Workspace, _ recorder: Recorder
  ) {
    let length = tokens.rows / 2, other = 1 - image
    workspace.scope {
      let z = workspace.tokens(rows: length, columns: tokens.columns)
      z[0..<length - 1].copy(tokens[image * length + 1..<(image + 1) * length])
      z[0..<length - 1].add(row: tokens[other * length..<other * length + 1])
      z[length - 1..<length].fill(learned[image])
      for block in blocks[image] { block(z, sequences: 1, workspace: workspace, recorder: recorder) }
      transferred.fill(image: image, from: z[1..<length])
      recorder.record("transfer.x\(image + 1)", transferred, image: image)
    }
  }

  private func recordDiscriminator(
    _ transferred: FeatureMap, _ tokens: Tokens, _ workspace: Workspace, _ recorder: Recorder
  ) {
    // Its names and shapes were checked; a value that is not finite leaves it out of the trace.
    guard let discriminator = try? ModalityClassifier("transfer.modal_dis", from: reader) else { return }
    let count = transferred.height * transferred.width
    for image in 0..<2 {
      let values = transferred.values(image: image)
      var rows = [Float](repeating: 0, count: values.count)
      for (index, value) in values.enumerated() {
        rows[index % count * transferred.channels + index / count] = value
      }
      tokens[image * (count + 1) + 1..<(image + 1) * (count + 1)].fill(rows)
    }
    discriminator(tokens, workspace: workspace, recorder: recorder)
    discriminator.recordHead(
      tokens, as: ["disc.pred1", "disc.pred2"], workspace: workspace, recorder: recorder)
  }
}
