// First half of the gate: every frame has a place, and all share one matrix, spacing, orientation and reference.

internal import Imaging

extension GeometryGate {
  /// All frames with their depth along the normal of the first one, unsorted.
  func candidates() throws(DICOMError) -> [CandidateFrame] {
    var frames: [CandidateFrame] = []
    var normal: SIMD3<Double>?
    for (index, image) in instances.enumerated() {
      for (number, geometry) in image.frames.enumerated() {
        guard let origin = geometry.position, let orientation = geometry.orientation,
          let spacing = geometry.pixelSpacing, spacing.count == 2
        else {
          throw refuse(
            .missingGeometry,
            "\(name(image)) lacks Image Position, Image Orientation or Pixel Spacing; its place is not known")
        }
        guard abs(origin).max() <= GeometryTolerance.farthestPosition else {
          throw refuse(.invalidAttribute, "\(name(image)) has an impossible Image Position (Patient)")
        }
        guard spacing.allSatisfy(GeometryTolerance.pixelSpacings.contains) else {
          throw refuse(.invalidAttribute, "\(name(image)) has an impossible Pixel Spacing")
        }
        let directions = try PlaneDirections(orientation, subject: subject)
        let axis = normal ?? directions.normal
        normal = axis
        frames.append(
          CandidateFrame(
            instance: index, frame: number, geometry: geometry, origin: origin, depth: dot(origin, axis)))
      }
    }
    guard frames.count >= 2 else {
      throw refuse(.tooFewSlices, "it has \(frames.count) slice; a stack needs two")
    }
    return frames
  }

  private func name(_ image: Instance) -> String {
    image.instanceNumber.map { "instance \($0)" } ?? "instance \(image.sopInstanceUID)"
  }

  private func abs(_ vector: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(Swift.abs(vector.x), Swift.abs(vector.y), Swift.abs(vector.z))
  }

  /// One frame of reference, matrix, pixel spacing and orientation for all frames.
  func checkUniform(_ frames: [CandidateFrame]) throws(DICOMError) {
    let first = frames[0]
    let image = instances[first.instance]
    for other in frames.dropFirst() {
      let its = instances[other.instance]
      guard its.frameOfReferenceUID == image.frameOfReferenceUID else {
        throw refuse(
          .mixedFrameOfReference,
          "\(label(first)) and \(label(other)) are in different frames of reference")
      }
      guard its.pixels.rows == image.pixels.rows, its.pixels.columns == image.pixels.columns else {
        throw refuse(.mixedMatrix, "\(label(first)) and \(label(other)) differ in Rows or Columns")
      }
      guard
        agree(first.geometry.pixelSpacing, other.geometry.pixelSpacing, GeometryTolerance.pixelSpacing)
      else {
        throw refuse(.mixedPixelSpacing, "\(label(first)) and \(label(other)) differ in Pixel Spacing")
      }
      guard agree(first.geometry.orientation, other.geometry.orientation, GeometryTolerance.orientation)
      else {
        throw refuse(
          .mixedOrientation, "\(label(first)) and \(label(other)) are not parallel or are turned")
      }
    }
    let voxels = image.pixels.rows * image.pixels.columns
    guard frames.count <= GeometryTolerance.mostVoxels / max(1, voxels) else {
      throw refuse(
        .tooLarge,
        "\(frames.count) slices of \(image.pixels.columns)×\(image.pixels.rows) do not fit in memory")
    }
  }

  private func agree(_ a: [Double]?, _ b: [Double]?, _ tolerance: Double) -> Bool {
    guard let a, let b, a.count == b.count else { return false }
    return zip(a, b).allSatisfy { Swift.abs($0 - $1) <= tolerance }
  }

  /// The in-plane grid of a checked stack; its directions are those of the first instance's first frame, by
  /// which `depth` was measured.
  func planeGrid(_ frames: [CandidateFrame]) throws(DICOMError) -> PlaneGrid {
    let first = frames[0]
    let pixels = instances[first.instance].pixels
    guard let spacing = first.geometry.pixelSpacing, let orientation = instances[0].frames[0].orientation
    else { throw refuse(.missingGeometry, "it lacks Image Orientation or Pixel Spacing") }
    let directions = try PlaneDirections(orientation, subject: subject)
    return PlaneGrid(
      columns: pixels.columns, rows: pixels.rows, origin: first.origin, rowDirection: directions.row,
      columnDirection: directions.column, columnSpacing: spacing[1], rowSpacing: spacing[0])
  }
}
