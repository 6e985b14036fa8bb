// A rotation and a translation of patient coordinates – never a scaling, shear or reflection.

/// Rigid map of patient coordinates (LPS, mm): a point in the fixed frame of reference to the same anatomy in
/// the moving frame.
public struct RigidTransform: Sendable, Hashable {
  /// Largest deviation of `RᵀR` from the identity, and of the last row from 0 0 0 1, that still counts as
  /// rounding: registration objects carry six to eight digits. Dimensionless; 10⁻⁴ is 0.025 mm at 250 mm.
  public static let orthonormalityTolerance = 1e-4

  public static let identity = RigidTransform(
    rotationRows: [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)], translation: .zero)

  /// Homogeneous 4×4 matrix, row-major, translation in mm, last row 0 0 0 1.
  public let matrix: [Double]

  /// Checks sixteen row-major numbers (as in Frame of Reference Transformation Matrix, PS3.3 C.20.2.1.1).
  /// - Throws: `ImagingError.notRigid` when they scale, shear, reflect, project or are not finite.
  public init(matrix: [Double]) throws(ImagingError) {
    try Self.check(matrix)
    self.matrix = matrix
  }

  package init(rotationRows rows: [SIMD3<Double>], translation: SIMD3<Double>) {
    matrix = (0..<3).flatMap { [rows[$0].x, rows[$0].y, rows[$0].z, translation[$0]] } + [0, 0, 0, 1]
  }

  package var rotationRows: [SIMD3<Double>] {
    (0..<3).map { SIMD3(matrix[4 * $0], matrix[4 * $0 + 1], matrix[4 * $0 + 2]) }
  }

  /// Displacement of the origin, mm.
  public var translation: SIMD3<Double> { SIMD3(matrix[3], matrix[7], matrix[11]) }

  /// Position (mm) in the moving frame of a position in the fixed frame.
  public func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> { rotate(point) + translation }

  /// Direction or difference of positions: rotated, not displaced.
  public func rotate(_ vector: SIMD3<Double>) -> SIMD3<Double> {
    let rows = rotationRows
    return SIMD3(dot(rows[0], vector), dot(rows[1], vector), dot(rows[2], vector))
  }

  /// The map back from moving to fixed: `Rᵀ`, `-Rᵀt`.
  public var inverse: RigidTransform {
    let rows = rotationRows
    let columns = (0..<3).map { SIMD3(rows[0][$0], rows[1][$0], rows[2][$0]) }
    let t = translation
    return RigidTransform(
      rotationRows: columns, translation: SIMD3(-dot(columns[0], t), -dot(columns[1], t), -dot(columns[2], t))
    )
  }

  /// First `first`, then this transform.
  public func after(_ first: RigidTransform) -> RigidTransform {
    let b = first.inverse.rotationRows  // columns of the first rotation
    let rows = rotationRows.map { row in SIMD3(dot(row, b[0]), dot(row, b[1]), dot(row, b[2])) }
    return RigidTransform(rotationRows: rows, translation: self(first.translation))
  }
}

extension RigidTransform: Codable {
  /// Sixteen numbers, row-major.
  public init(from decoder: any Decoder) throws {
    try self.init(matrix: decoder.singleValueContainer().decode([Double].self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(matrix)
  }
}

extension RigidTransform {
  private static func check(_ m: [Double]) throws(ImagingError) {
    let hint = "use a registration of kind RIGID"
    guard m.count == 16, m.allSatisfy(\.isFinite) else {
      throw ImagingError(
        .notRigid, "a transform needs 16 finite numbers, \(m.filter(\.isFinite).count) of \(m.count) are",
        hint: hint)
    }
    let lastRow = zip(m[12...], [0, 0, 0, 1]).map { abs($0 - $1) }
    guard lastRow.allSatisfy({ $0 <= orthonormalityTolerance }) else {
      throw ImagingError(
        .notRigid, "the last row of the transform is \(Array(m[12...])), not 0 0 0 1", hint: hint)
    }
    let rows = (0..<3).map { SIMD3(m[4 * $0], m[4 * $0 + 1], m[4 * $0 + 2]) }
    for i in 0..<3 {
      for j in i..<3 {
        let error = abs(dot(rows[i], rows[j]) - (i == j ? 1 : 0))
        guard error <= orthonormalityTolerance else {
          throw ImagingError(
            .notRigid, "rows \(i + 1) and \(j + 1) of the transform are off orthonormal by \(error)",
            hint: hint)
        }
      }
    }
    guard dot(cross(rows[0], rows[1]), rows[2]) > 0 else {
      throw ImagingError(.notRigid, "the transform is a reflection", hint: hint)
    }
  }
}
