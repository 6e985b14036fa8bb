// A Spatial Registration object: which frames of reference it relates, and by which matrices – read, not judged.

/// What a Spatial Registration (PS3.3 A.39.1) or Deformable Spatial Registration (A.39.2) object says.
public struct SpatialRegistration: Codable, Hashable, Sendable {
  /// One item of the Registration Sequence.
  public struct Item: Codable, Hashable, Sendable {
    /// Frame of Reference UID of what is registered; nil where the item names images only.
    public var frameOfReferenceUID: String?
    /// Frame of Reference Transformation Matrix of every item of the Matrix Sequence: 16 numbers, row-major, mm; a
    /// point of the item's frame to the same point in the registered one (PS3.3 C.20.2.1.1).
    public var matrices: [[Double]]
    /// Frame of Reference Transformation Matrix Type of each matrix: `RIGID`, `RIGID_SCALE` or `AFFINE`.
    public var types: [String]

    public init(frameOfReferenceUID: String?, matrices: [[Double]], types: [String]) {
      self.frameOfReferenceUID = frameOfReferenceUID
      self.matrices = matrices
      self.types = types
    }
  }

  /// Frame of Reference UID of the object: the registered coordinate system.
  public var registeredFrameUID: String?
  public var isDeformable: Bool
  public var items: [Item]

  public init(registeredFrameUID: String?, isDeformable: Bool = false, items: [Item]) {
    self.registeredFrameUID = registeredFrameUID
    self.isDeformable = isDeformable
    self.items = items
  }
}

extension DICOMFile {
  /// Throws `invalid_attribute` for a matrix that is not made of sixteen numbers: a wrong place is worse than none.
  func spatialRegistration(sopClass: String) throws(DICOMError) -> SpatialRegistration {
    let isDeformable = sopClass == SOPClass.deformableSpatialRegistration
    let sequence: Tag = isDeformable ? .deformableRegistrationSequence : .registrationSequence
    var items: [SpatialRegistration.Item] = []
    for index in 0..<self.items(sequence) {
      let item = ItemPath.root.item(sequence, index)
      items.append(try registrationItem(item, isDeformable: isDeformable))
    }
    return SpatialRegistration(
      registeredFrameUID: word(.frameOfReferenceUID), isDeformable: isDeformable, items: items)
  }

  private func registrationItem(
    _ item: ItemPath, isDeformable: Bool
  ) throws(DICOMError) -> SpatialRegistration.Item {
    let frame =
      isDeformable ? word(.sourceFrameOfReferenceUID, in: item) : word(.frameOfReferenceUID, in: item)
    var result = SpatialRegistration.Item(frameOfReferenceUID: frame, matrices: [], types: [])
    let registration = item.item(.matrixRegistrationSequence)
    for index in 0..<items(.matrixSequence, in: registration) {
      let matrix = registration.item(.matrixSequence, index)
      guard let numbers = try numbers(.frameOfReferenceTransformationMatrix, in: matrix), numbers.count == 16
      else {
        throw DICOMError(
          .invalidAttribute, subject: path,
          detail:
            "a Frame of Reference Transformation Matrix \(Tag.frameOfReferenceTransformationMatrix) has "
            + "not 16 values")
      }
      result.matrices.append(numbers)
      result.types.append(word(.frameOfReferenceTransformationMatrixType, in: matrix) ?? "RIGID")
    }
    return result
  }
}
