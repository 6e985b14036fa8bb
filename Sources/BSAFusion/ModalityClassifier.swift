// The tail of the encoder: patches to tokens, a class token that gathers what is peculiar to the modality, two ViT blocks.

internal import Tensors

/// Blocks, class token and head; the discriminator has the same parts and differs only in what it is given.
struct ModalityClassifier: Sendable {
  static let hidden = ParameterTable.hidden

  let name: String
  private let classToken: [Float]
  private let blocks: [TransformerBlock]
  private let headHidden: Linear
  private let headLogits: Linear

  init(_ name: String, from reader: ParameterReader) throws(WeightsError) {
    self.name = name
    classToken = try reader.token("\(name).cls_token")
    blocks = [
      try TransformerBlock("\(name).vit_blks.vit0", from: reader),
      try TransformerBlock("\(name).vit_blks.vit1", from: reader),
    ]
    headHidden = try reader.linear("\(name).head.0", Self.hidden, Self.hidden)
    headLogits = try reader.linear("\(name).head.2", Self.hidden, 2)
  }

  /// tokens: 2 sequences of 1 + N rows; rows 1… hold the patches. Row 0 becomes the modality's token.
  func callAsFunction(_ tokens: Tokens, workspace: Workspace, recorder: Recorder) {
    let length = tokens.rows / 2
    for image in 0..<2 { tokens[image * length..<image * length + 1].fill(classToken) }
    for block in blocks { block(tokens, sequences: 2, workspace: workspace, recorder: recorder) }
  }

  /// Logits of the modality (fixed, moving); only a trace asks for them.
  func recordHead(_ tokens: Tokens, as names: [String], workspace: Workspace, recorder: Recorder) {
    let length = tokens.rows / 2
    workspace.scope {
      let hidden = workspace.tokens(rows: 1, columns: Self.hidden)
      let logits = workspace.tokens(rows: 1, columns: 2)
      for image in 0..<2 {
        headHidden(tokens[image * length..<image * length + 1], into: hidden)
        hidden.gelu()
        headLogits(hidden, into: logits)
        recorder.row(names[image], logits)
        recorder.row("cap.\(name).head#\(image)", logits)
      }
    }
  }
}
