// The stepwise fields integrated into one flow: sums of upsampled increments, moving minus fixed.

internal import Tensors

enum DeformationField {
  /// flow (2 × S × S, pixels, x then y) = Σ over levels of 2^(4−ℓ) · Up(φ moving) − the same of the fixed image.
  ///
  /// Fields are added, not composed, as the network was trained.
  static func integrate(
    _ fields: StepwiseFields, into flow: FeatureMap, workspace: Workspace, recorder: Recorder
  ) {
    workspace.scope {
      let fixed = accumulate(fields.fixed, like: flow, workspace)
      let moving = accumulate(fields.moving, like: flow, workspace)
      flow.subtract(moving, fixed)
      recorder.record("flow_neg", fixed)
      recorder.record("flow_pos", moving)
      recorder.record("flow", flow)
    }
  }

  private static func accumulate(_ fields: [FeatureMap], like flow: FeatureMap, _ workspace: Workspace)
    -> FeatureMap
  {
    let sum = workspace.map(channels: 2, height: flow.height, width: flow.width)
    let last = StepwiseAlignment.levels - 1
    if fields.count > last { sum.copy(fields[last]) } else { sum.fill(0) }
    for level in 0..<min(fields.count, last) {
      sum.accumulate(field: fields[level], scale: Float(1 << (last - level)), workspace: workspace)
    }
    return sum
  }
}
