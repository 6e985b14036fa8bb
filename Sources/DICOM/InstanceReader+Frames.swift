// The geometry and value mapping of every frame: classic attributes, functional groups, or NM vectors.

extension DICOMFile {
  /// One `FrameGeometry` a frame. Throws `invalid_attribute` where a number is none or a vector has the wrong
  /// length; what is absent stays nil for the geometry gate to judge.
  func frameGeometries(of instance: Instance) throws(DICOMError) -> [FrameGeometry] {
    let count = instance.pixels.frames
    if items(.perFrameFunctionalGroups) > 0 || items(.sharedFunctionalGroups) > 0 {
      return try enhancedFrames(count: count)
    }
    var frame = try classicFrame()
    if instance.modality == "NM" { return try nuclearFrames(count: count, common: frame) }
    // A classic multi-frame image has one plane's attributes for all frames: they cannot all be there.
    if count > 1 { frame.position = nil }
    return [FrameGeometry](repeating: frame, count: count)
  }

  private func classicFrame() throws(DICOMError) -> FrameGeometry {
    var frame = FrameGeometry()
    frame.position = try vector(.imagePositionPatient)
    frame.orientation = try numbers(.imageOrientationPatient, count: 6)
    frame.pixelSpacing = try numbers(.pixelSpacing, count: 2)
    frame.sliceThickness = optionalNumber(.sliceThickness)
    frame.temporalIndex = integer(.temporalPositionIdentifier)
    frame.echoTime = optionalNumber(.echoTime)
    frame.diffusionBValue = optionalNumber(.diffusionBValue)
    frame.windowCenter = optionalNumber(.windowCenter)
    frame.windowWidth = optionalNumber(.windowWidth)
    try readRescale(&frame, in: .root)
    frame.realWorldValues = try realWorldValues(in: .root)
    frame.useMappingForRescale()
    return frame
  }

  private func readRescale(_ frame: inout FrameGeometry, in item: ItemPath) throws(DICOMError) {
    let slope = try number(.rescaleSlope, in: item)
    let intercept = try number(.rescaleIntercept, in: item)
    frame.rescaleSlope = slope ?? 1
    frame.rescaleIntercept = intercept ?? 0
    frame.hasRescale = slope != nil && intercept != nil
    frame.rescaleType = word(.rescaleType, in: item)
  }

  // MARK: - Enhanced objects

  private func enhancedFrames(count: Int) throws(DICOMError) -> [FrameGeometry] {
    let perFrame = items(.perFrameFunctionalGroups)
    guard perFrame == 0 || perFrame >= count else {
      throw DICOMError(
        .invalidAttribute, subject: path,
        detail: "Per-Frame Functional Groups Sequence has \(perFrame) items for \(count) frames")
    }
    var frames: [FrameGeometry] = []
    frames.reserveCapacity(count)
    for index in 0..<count { frames.append(try enhancedFrame(index)) }
    return frames
  }

  private func enhancedFrame(_ index: Int) throws(DICOMError) -> FrameGeometry {
    var frame = FrameGeometry()
    frame.position = try vector(.imagePositionPatient, in: macro(.planePositionSequence, index))
    frame.orientation = try numbers(
      .imageOrientationPatient, count: 6, in: macro(.planeOrientationSequence, index))
    let measures = macro(.pixelMeasuresSequence, index)
    frame.pixelSpacing = try numbers(.pixelSpacing, count: 2, in: measures)
    frame.sliceThickness = optionalNumber(.sliceThickness, in: measures)
    try readRescale(&frame, in: macro(.pixelValueTransformationSequence, index))
    frame.realWorldValues = try realWorldValues(in: group(.realWorldValueMappingSequence, index))
    frame.useMappingForRescale()
    let content = macro(.frameContentSequence, index)
    frame.temporalIndex = integer(.temporalPositionIndex, in: content)
    frame.stackID = word(.stackID, in: content)
    let window = macro(.frameVOILUTSequence, index)
    frame.windowCenter = optionalNumber(.windowCenter, in: window)
    frame.windowWidth = optionalNumber(.windowWidth, in: window)
    frame.echoTime = optionalNumber(.effectiveEchoTime, in: macro(.mrEchoSequence, index))
    frame.diffusionBValue = optionalNumber(.diffusionBValue, in: macro(.mrDiffusionSequence, index))
    for sequence in [Tag.mrImageFrameTypeSequence, .ctImageFrameTypeSequence, .petFrameTypeSequence]
    where frame.frameType.isEmpty {
      frame.frameType = words(.frameType, in: macro(sequence, index))
    }
    return frame
  }

  /// A functional group macro: a macro stands either per frame or shared, never in both (PS3.3 C.7.6.16).
  private func macro(_ sequence: Tag, _ index: Int) -> ItemPath { group(sequence, index).item(sequence) }

  /// The item of functional groups that holds a frame's macro.
  private func group(_ sequence: Tag, _ index: Int) -> ItemPath {
    let own = ItemPath.root.item(.perFrameFunctionalGroups, index)
    return has(sequence, in: own) ? own : ItemPath.root.item(.sharedFunctionalGroups)
  }

  // MARK: - Reconstructed SPECT

  /// Frames of a reconstructed NM object: the detector item gives plane and position of the first slice,
  /// Spacing Between Slices the rest.
  ///
  /// Its sign counts (PS3.3 C.8.4.15): positive means that the slices follow the first one along the normal
  /// row × column, negative that they go against it. Slice Vector says which slice a frame is, Time Slot and
  /// Energy Window Vectors which of several volumes.
  private func nuclearFrames(count: Int, common: FrameGeometry) throws(DICOMError) -> [FrameGeometry] {
    var common = common
    let detector = ItemPath.root.item(.detectorInformationSequence)
    if common.position == nil { common.position = try vector(.imagePositionPatient, in: detector) }
    if common.orientation == nil {
      common.orientation = try numbers(.imageOrientationPatient, count: 6, in: detector)
    }
    guard count > 1 else { return [common] }
    let slices = try frameVector(.sliceVector, count: count)
    let times = try frameVector(.timeSlotVector, count: count)
    let windows = try frameVector(.energyWindowVector, count: count)
    let step = try sliceStep(common)
    return (0..<count).map { index in
      var frame = common
      let slice = slices.map { $0[index] - 1 } ?? Double(index)
      frame.position = step.flatMap { step in common.position.map { $0 + slice * step } }
      frame.temporalIndex = times.flatMap { Int(exactly: $0[index]) }
      frame.stackID = windows.map { "energy window \($0[index])" }
      return frame
    }
  }

  /// From one slice to the next, mm in patient coordinates; nil where the header does not say.
  private func sliceStep(_ frame: FrameGeometry) throws(DICOMError) -> SIMD3<Double>? {
    guard let spacing = try number(.spacingBetweenSlices), let orientation = frame.orientation else {
      return nil
    }
    let plane = try PlaneDirections(orientation, subject: path)
    return spacing * plane.normal
  }

  /// A vector with one 1-based index a frame.
  private func frameVector(_ tag: Tag, count: Int) throws(DICOMError) -> [Double]? {
    guard let values = try numbers(tag) else { return nil }
    guard values.count == count else {
      throw DICOMError(
        .invalidAttribute, subject: path, detail: "\(tag) has \(values.count) values for \(count) frames")
    }
    return values
  }

  // MARK: - Vectors of fixed length

  private func vector(_ tag: Tag, in item: ItemPath = .root) throws(DICOMError) -> SIMD3<Double>? {
    try numbers(tag, count: 3, in: item).map { SIMD3($0[0], $0[1], $0[2]) }
  }

  private func numbers(
    _ tag: Tag, count: Int, in item: ItemPath = .root
  ) throws(DICOMError) -> [Double]? {
    guard let values = try numbers(tag, in: item) else { return nil }
    guard values.count == count else {
      throw DICOMError(
        .invalidAttribute, subject: path, detail: "\(tag) has \(values.count) values instead of \(count)")
    }
    return values
  }
}
