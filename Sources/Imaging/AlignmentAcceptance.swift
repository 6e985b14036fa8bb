public struct AlignmentAcceptance: Sendable {
  public enum Reason: String, Sendable { case folding, similarity, outside }
  public struct Decision: Sendable { public let accepted: Bool; public let reason: Reason?; public let before: Double; public let after: Double }
  public let maximumFolding: Double
  public init(maximumFolding: Double) { self.maximumFolding = maximumFolding }
  public func judge(fixed: Plane, moving: Plane, aligned: Plane, inside: [Bool], folding: Double) -> Decision {
    let a = Similarity.mutualInformation(fixed, moving, bins: 64, mask: inside)
    let b = Similarity.mutualInformation(fixed, aligned, bins: 64, mask: inside)
    if folding > maximumFolding { return Decision(accepted: false, reason: .folding, before: a, after: b) }
    return Decision(accepted: b >= a, reason: b >= a ? nil : .similarity, before: a, after: b)
  }
}
