// Rigid transforms from angles – for registration and tests; DICOM objects carry matrices.

import Glibc

extension RigidTransform {
  /// Rotation `Rz · Ry · Rx` by the angles (radians, about the fixed x, y and z axes in that order) about
  /// `center` (mm), then `translation` (mm).
  public init(
    rotation angles: SIMD3<Double>, about center: SIMD3<Double> = .zero, translation: SIMD3<Double> = .zero
  ) {
    let (sx, cx) = (sin(angles.x), cos(angles.x))
    let (sy, cy) = (sin(angles.y), cos(angles.y))
    let (sz, cz) = (sin(angles.z), cos(angles.z))
    let rows = [
      SIMD3(cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx),
      SIMD3(sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx),
      SIMD3(-sy, cy * sx, cy * cx),
    ]
    let turned = SIMD3(dot(rows[0], center), dot(rows[1], center), dot(rows[2], center))
    self.init(rotationRows: rows, translation: center - turned + translation)
  }
}
