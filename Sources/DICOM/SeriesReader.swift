// The geometry gate: from headers to a stack whose every slice has a known place, or a reason why not.

internal import Imaging

/// Turns the instances of a series into a plan and a plan into voxels.
public enum SeriesReader {
  /// Decides from headers alone which frames form the stack, in what order and where.
  ///
  /// Localizers are left out if others remain. Where several frames lie at one position, one contrast is kept by
  /// rule (magnitude before phase, the shortest echo, the lowest b-value) and noted; time series are refused.
  /// Tilted and unevenly spaced stacks are kept at their true positions up to `GeometryTolerance`. Every refusal
  /// has its own reason code and names instance numbers.
  public static func plan(_ instances: [Instance]) throws(DICOMError) -> SeriesPlan {
    let gate = try GeometryGate(instances)
    var frames = try gate.candidates()
    try gate.checkUniform(frames)
    var notes = gate.notes
    frames.sort { $0.depth < $1.depth }
    frames = try gate.oneStack(frames, notes: &notes)
    try gate.checkSpacing(frames, notes: &notes)
    let plane = try gate.planeGrid(frames)
    gate.describeDrift(frames, normal: plane.normal, notes: &notes)
    let used = gate.instances.indices.filter { index in frames.contains { $0.instance == index } }
    let renumbered = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
    let kept = used.map { gate.instances[$0] }
    let values = try gate.values(of: kept, notes: &notes)
    return SeriesPlan(
      seriesInstanceUID: gate.subject, modality: kept[0].modality, instances: kept,
      slices: frames.map { SeriesPlan.Slice(instance: renumbered[$0.instance] ?? 0, frame: $0.frame) },
      grid: VolumeGrid(plane: plane, origins: frames.map(\.origin)),
      spacing: GeometryGate.median(frames.gaps), unit: values.unit, suvFactor: values.factor, notes: notes)
  }
}

/// One frame that may become a slice.
struct CandidateFrame {
  /// Index into the gate's instances, and 0-based frame of that instance.
  let instance: Int
  let frame: Int
  let geometry: FrameGeometry
  /// Image Position (Patient), mm.
  let origin: SIMD3<Double>
  /// Along the stack's normal, mm.
  let depth: Double
}

extension [CandidateFrame] {
  /// Distances of neighbours along the normal, mm.
  var gaps: [Double] { zip(self, dropFirst()).map { $1.depth - $0.depth } }
}

/// The checks of `SeriesReader.plan`, in its order; holds what they share.
struct GeometryGate {
  let instances: [Instance]
  /// Series Instance UID, the subject of every refusal.
  let subject: String
  let notes: [String]

  /// Throws for what makes the whole series unfit, whatever its geometry.
  init(_ all: [Instance]) throws(DICOMError) {
    guard let first = all.first else {
      throw DICOMError(.tooFewSlices, subject: "series", detail: "there are no instances to stack")
    }
    subject = first.seriesInstanceUID
    func refuse(_ reason: DICOMError.Reason, _ detail: String) -> DICOMError {
      DICOMError(reason, subject: first.seriesInstanceUID, detail: detail)
    }
    guard all.allSatisfy({ $0.seriesInstanceUID == first.seriesInstanceUID }) else {
      throw refuse(.mixedSeries, "instances of several series were given as one")
    }
    guard all.allSatisfy({ SOPClass.crossSections.contains($0.sopClassUID) && $0.isImage }) else {
      throw refuse(.unsupportedSOPClass, "it is not made of CT, MR, PET or NM images; only these are fused")
    }
    var seen: Set<String> = []
    let unique = all.filter { seen.insert($0.sopInstanceUID).inserted }
    let sections = unique.filter { !$0.imageType.contains("LOCALIZER") }
    guard !sections.isEmpty else {
      throw refuse(.localizer, "it is a localizer; select a cross-sectional series")
    }
    guard !sections.contains(where: \.isMosaic) else {
      throw refuse(.mosaic, "its images are mosaics of many slices; export it unmosaiced or enhanced")
    }
    for image in sections where image.modality == "NM" && image.imageType.count > 2 {
      guard image.imageType[2].hasPrefix("RECON") else {
        throw refuse(.notReconstructed, "its NM images are no reconstructed slices (RECON TOMO)")
      }
    }
    guard sections.allSatisfy(\.pixels.isGrey) else {
      throw refuse(.unsupportedPixels, "its images are in colour; only grey ones are fused")
    }
    guard !sections.contains(where: \.hasModalityLUT) else {
      throw refuse(.unsupportedPixels, "its values need a Modality LUT; export it with Rescale Slope")
    }
    instances = sections
    let left = unique.count - sections.count
    notes = left == 0 ? [] : ["\(left) localizer images were left out"]
  }

  func refuse(_ reason: DICOMError.Reason, _ detail: String) -> DICOMError {
    DICOMError(reason, subject: subject, detail: detail)
  }

  /// What an operator finds the image by: Instance Number, and frame number in multi-frame objects.
  func label(_ frame: CandidateFrame) -> String {
    let image = instances[frame.instance]
    let name = image.instanceNumber.map { "instance \($0)" } ?? "instance \(image.sopInstanceUID)"
    return image.frames.count > 1 ? "\(name) frame \(frame.frame + 1)" : name
  }

  static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
