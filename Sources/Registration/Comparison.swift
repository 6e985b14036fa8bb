// The measure at one level as a function of the pose: value, derivative by a small motion, overlap.

internal import CKernels
internal import Imaging

/// A small motion: components 0…2 turn about the axes (mm at the radius of the body), 3…5 shift (mm), the rest is zero.
typealias Motion = SIMD8<Double>

/// Compares the fixed points with one level of the moving pyramid.
final class Comparison {
  /// Cells of the histogram along each axis.
  static let bins = 32
  /// Poses that leave a smaller share of the points on the moving image count as worthless.
  static let leastOverlap = 0.2

  let points: PointSet
  let field: Field
  /// Turns are measured at this distance from the centre, mm.
  let radius: Double
  private let sampler: Sampler
  private let isa: fk_isa
  private var histogram = JointHistogram(bins: bins)
  private var last: (transform: RigidTransform, information: JointHistogram.Information)?
  private(set) var evaluations = 0

  init(points: PointSet, field: Field, radius: Double, isa: fk_isa) {
    self.points = points
    self.field = field
    self.radius = radius
    self.isa = isa
    sampler = Sampler(count: points.count)
  }

  /// Share of the points that lie on the moving image at the last pose.
  var overlap: Double {
    guard let last, points.count > 0 else { return 0 }
    return last.information.total / Double(points.count)
  }

  /// Normalised mutual information at a pose, 1…2; 1 where the overlap is too small.
  func value(at transform: RigidTransform) -> Double {
    evaluations += 1
    for cell in histogram.cells.indices { histogram.cells[cell] = 0 }
    points.withPoints { points in
      sampler.sample(field, points, FieldMap(field.geometry, transform, about: self.points.center), isa: isa)
    }
    fk_count_pairs(
      points.bins, sampler.values, Int32(points.count), Int32(Self.bins), &histogram.cells, isa)
    let information = histogram.information()
    last = (transform, information)
    return overlap >= Self.leastOverlap ? information.normalized : 1
  }

  /// Sums a table over the pairs found at a pose, by group of points.
  func sum(
    _ table: [Float], at transform: RigidTransform, _ groups: [UInt8], _ sums: inout [Double],
    _ counts: inout [Int32]
  ) {
    points.withPoints { points in
      sampler.sample(field, points, FieldMap(field.geometry, transform, about: self.points.center), isa: isa)
    }
    fk_sum_pairs(
      points.bins, sampler.values, groups, Int32(points.count), Int32(Self.bins), table, &sums, &counts)
  }

  /// Derivative of the value at the last pose by a motion that follows it.
  func gradient() -> Motion {
    guard let last else { return .zero }
    let slope = last.information.slope(bins: Self.bins)
    var sums = [Double](repeating: 0, count: 12)
    points.withPoints { points in
      var samples = sampler.samples
      fk_sum_forces(self.points.bins, points, &samples, Int32(Self.bins), slope, &sums, isa)
    }
    return Motion(sums, geometry: field.geometry, transform: last.transform, radius: radius)
  }

  /// The pose after a motion: turned about the image of the centre, then shifted.
  func moved(_ transform: RigidTransform, by motion: Motion) -> RigidTransform {
    RigidTransform(
      rotation: SIMD3(motion[0], motion[1], motion[2]) / radius, about: transform(points.center),
      translation: SIMD3(motion[3], motion[4], motion[5])
    ).after(transform)
  }

  /// The joint histogram's pointwise information log p(f,m)/(p(f)p(m)) at the last pose, `[bins][bins]`.
  func pointwiseInformation() -> [Float] {
    guard let information = last?.information else { return [] }
    return information.logJoint.indices.map { cell in
      let (row, column) = (cell / Self.bins, cell % Self.bins)
      return Float(information.logJoint[cell] - information.logFixed[row] - information.logMoving[column])
    }
  }
}

extension Motion {
  /// From forces in index space, `sums` = Σ force ⊗ (point, 1), `[3][4]`, to forces and torques in millimetres.
  fileprivate init(_ sums: [Double], geometry: FieldGeometry, transform: RigidTransform, radius: Double) {
    let duals = geometry.duals
    let turned = transform.rotationRows
    func row(_ k: Int) -> SIMD3<Double> { SIMD3(sums[4 * k], sums[4 * k + 1], sums[4 * k + 2]) }
    // moment[i][j] = Σ force_i · arm_j with force in mm⁻¹ and arm the turned point.
    let moment = (0..<3).map { i in
      let force = duals[0][i] * row(0) + duals[1][i] * row(1) + duals[2][i] * row(2)
      return SIMD3(dot(force, turned[0]), dot(force, turned[1]), dot(force, turned[2]))
    }
    let torque =
      SIMD3(moment[2].y - moment[1].z, moment[0].z - moment[2].x, moment[1].x - moment[0].y) / radius
    let force = duals[0] * sums[3] + duals[1] * sums[7] + duals[2] * sums[11]
    self.init(torque.x, torque.y, torque.z, force.x, force.y, force.z, 0, 0)
  }
}
