// How much memory a pass needs for a side. Checked by the tests: never too little, and little more than is used.

internal import Tensors

enum WorkspacePlan {
  /// Floats of the workspace of an engine; `traced` passes keep intermediates that others never store.
  static func floats(side: Int, traced: Bool = false) -> Int {
    let plane = Workspace.floats(channels: 1, height: side, width: side)
    let tokens = (side / 16) * (side / 16) + 1
    // Planes of full resolution at the widest place, and the features of tokens beside them.
    let planes = traced ? 320 : 83
    // Coarse levels: products of the 256-channel convolutions, whole vectors of tiles however small the side.
    let products = 36 * 32 * (ParameterTable.hidden + 8) + (1 << 16)
    return planes * plane + 16 * tokens * ParameterTable.hidden + (tokens + 80) * (tokens + 15) + products
  }
}
