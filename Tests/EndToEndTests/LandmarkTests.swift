// The sample studies as if from two scanners: how far landmarks lie from where they belong, before and after the network.

import BSAFusion
import Foundation
import Imaging
import Testing

@testable import DICOM
@testable import Pipeline

/// The known displacement of a sample study, as docs/sample-studies.md gives it in words.
private struct Truth: Decodable {
  struct Wave: Decodable {
    let amplitude: [Double]
    let vector: [Double]
    let phase: Double
  }
  struct Deformation: Decodable {
    let center: [Double]
    let axes: [[Double]]
    let rotation: Double
    let translation: [Double]
    let waves: [Wave]
  }
  let deformation: Deformation
  /// What is left of the waves, up to `reach` mm above the centre along the normal; from there it fades within 20 mm.
  private(set) var bend = 1.0
  private(set) var reach = Double.infinity

  private enum CodingKeys: CodingKey { case deformation }

  init(study: String, bend: Double, reach: Double) throws {
    let path = Site.samples + "/truth/\(study).json"
    self = try JSONDecoder().decode(Truth.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    self.bend = bend
    self.reach = reach
  }

  private static func vector(_ values: [Double]) -> SIMD3<Double> { SIMD3(values[0], values[1], values[2]) }

  /// Where a point of the fixed series lies in the undisturbed moving series, mm.
  func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> {
    let axes = deformation.axes.map(Self.vector)
    let from = point - Self.vector(deformation.center)
    let local = axes.map { ($0 * from).sum() }
    let (s, c) = (sin(deformation.rotation * .pi / 180), cos(deformation.rotation * .pi / 180))
    var row = deformation.translation[0] + (c - 1) * local[0] - s * local[1]
    var column = deformation.translation[1] + s * local[0] + (c - 1) * local[1]
    let left = cos(.pi / 2 * min(max((local[2] - reach) / 20, 0), 1))
    for wave in deformation.waves {
      let swing = bend * left * left * sin(zip(wave.vector, local).reduce(wave.phase) { $0 + $1.0 * $1.1 })
      row += wave.amplitude[0] * swing
      column += wave.amplitude[1] * swing
    }
    return point + row * axes[0] + column * axes[1]
  }
}

@Suite struct LandmarkTests {
  /// Positions of the moving scanner to those of the sample study's; Python's numpy and Swift's numbers are the same.
  private static let scanner = RigidTransform(
    rotation: SIMD3(9, -7, 12) * .pi / 180, translation: SIMD3(31, -44, 57))

  /// The moving series of a study with a part of its bend, in another frame of reference; false where the test Python is
  /// not set up.
  private func moved(_ site: Site, _ head: Head) throws -> Bool {
    let numbers = Self.scanner.matrix.map { String(format: "%.17g", $0) }.joined(separator: ",")
    let judge = Site.root.appendingPathComponent("Tests/EndToEndTests/Judge/less_bent.py").path
    return try Site.python([
      judge, head.study, head.moving, "\(head.bend)", "\(head.reach)", numbers, site.inbox,
    ])
  }

  struct Head: Equatable, CustomTestStringConvertible {
    let study: String
    let fixed: String
    let moving: String
    let bend: Double
    /// How far up it is bent, mm above the centre along the normal.
    var reach = Double.infinity
    var testDescription: String {
      "\(study), \(bend) of its bend" + (reach < .infinity ? " below \(reach + 20) mm" : "")
    }
  }

  /// Mean distances of landmarks from where they belong, mm.
  private struct Distances {
    var (displaced, registered, aligned) = (0.0, 0.0, 0.0)
    var count = 0.0
    var means: [Double] { [displaced / count, registered / count, aligned / count] }
  }

  private static let all = ProcessInfo.processInfo.environment["FUSELINE_ALL_LANDMARKS"] != nil

  private static func pet(_ bend: Double, reach: Double = .infinity) -> Head {
    Head(study: "pet-mr", fixed: "MR_AX_T1_SE", moving: "PT_FDG_BRAIN", bend: bend, reach: reach)
  }

  private static func ct(_ bend: Double, reach: Double = .infinity) -> Head {
    Head(study: "ct-mr", fixed: "MR_AX_T2_TSE", moving: "CT_HEAD_SOFT", bend: bend, reach: reach)
  }

  private static func spect(_ bend: Double, reach: Double = .infinity) -> Head {
    Head(study: "spect-mr", fixed: "MR_AX_T2_TSE", moving: "NM_HMPAO_RECON", bend: bend, reach: reach)
  }

  /// All of it bent, and its lower part only.
  private static let heads = [pet(1), pet(1, reach: -30), ct(1, reach: -33)]

  /// Measured only where asked for; docs/registration.md has what came out.
  private static let more = [
    pet(0.4), pet(0.3), pet(1, reach: -20), pet(0), ct(0.2), ct(1, reach: -36), ct(0),
    spect(0.2), spect(0.4), spect(1, reach: -25), spect(1, reach: -33), spect(0),
  ]

  @Test(arguments: all ? heads + more : heads)
  func
    `landmarks of a deformed head lie closer once registered, and a bent one closer still after the network`(
      head: Head
    )
    throws
  {
    let site = try Site("models: \(Site.root.path)/Models\nintake: {quiet_time: 0 s}\n")
    guard try moved(site, head) else { return }
    let settings = try Settings(contentsOf: site.folder + "/pipeline.yaml")
    let pair = try AdHocPair(settings: settings)
      .pair(fixed: Site.samples + "/\(head.study)/\(head.fixed)", moving: site.inbox)
    let volumes = try PairVolumes(pair, settings: settings)
    #expect(volumes.registration.kind == .rigid)
    let model = try ModelLibrary.load(ModelLibrary.resolve(pair.rule.model, folder: settings.models))
    let fuser = try SliceFuser(
      volumes: volumes, model: model, settings: settings, prepared: PreparedSlices())
    let truth = try Truth(study: head.study, bend: head.bend, reach: head.reach)
    var distances = Distances()
    // Of a head that is bent all over two slices of twelve: the network takes seconds in a test build.
    let some = !Self.all && head.reach == .infinity
    for index in some ? [2, 7] : Array(0..<volumes.slices) {
      try measure(try fuser.fuse(slice: index), volumes: volumes, truth: truth, into: &distances)
    }
    let means = distances.means
    print(
      String(
        format: "%@: %.0f landmarks, displaced by %.2f mm, registered to %.2f mm, %.2f mm after the network",
        head.testDescription, distances.count, means[0], means[1], means[2]))
    #expect(distances.count > 500)
    #expect(means[1] < means[0])
    guard Self.heads.contains(head) else { return }
    #expect(means[2] < means[1])
    #expect(head.reach == .infinity || means[1] < 1)
  }

  private func measure(
    _ slice: FusedSlice, volumes: PairVolumes, truth: Truth, into distances: inout Distances
  ) throws {
    for row in stride(from: 0, to: slice.grid.rows, by: 4) {
      for column in stride(from: 0, to: slice.grid.columns, by: 4)
      where slice.fixed[column, row] > 0.15 && slice.moving[column, row] > 0.05 {
        let place = slice.grid.position(column: Double(column), row: Double(row))
        let belongs = Self.scanner(truth(place))
        let still = slice.record.accepted ? 1.0 : 0
        let deformed = slice.grid.position(
          column: Double(column) + still * Double(slice.predicted.dx[column, row]),
          row: Double(row) + still * Double(slice.predicted.dy[column, row]))
        distances.displaced += length(truth(place) - place)
        distances.registered += length(volumes.transform(place) - belongs)
        distances.aligned += length(volumes.transform(deformed) - belongs)
        distances.count += 1
      }
    }
  }

  private func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }
}
