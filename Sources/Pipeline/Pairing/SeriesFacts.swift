// What selection rules may ask of a series, gathered from its headers and, once there is one, its plan. No decisions.

import DICOM
import Imaging

/// The properties of one series; nil and empty mean that the headers do not say.
struct SeriesFacts: Sendable {
  /// Anatomical plane of a stack; oblique where its normal is more than 37° off every axis.
  enum Orientation: String, Codable, Sendable, CaseIterable { case axial, coronal, sagittal, oblique }

  /// A stack is volumetric where the scanner calls it 3D, or, if it says nothing, up to this spacing, mm.
  static let volumetricSpacing = 2.0
  /// Least component of a normal along an axis: cos 37°.
  static let alongAxis = 0.8

  let descriptions: [String]
  let protocolNames: [String]
  let imageTypes: [String]
  let bodyParts: [String]
  let kernels: [String]
  let hasContrast: Bool
  let isDerived: Bool
  let isEchoPlanar: Bool
  let isVolumetric: Bool
  let isAttenuationCorrected: Bool?
  let orientation: Orientation?
  let slices: Int
  /// Distance of neighbouring slices, mm; known with a plan only.
  let spacing: Double?
  /// Slice Thickness, mm.
  let thickness: Double?

  init(_ series: Series, plan: SeriesPlan? = nil) {
    let images = series.members.map(\.instance)
    func distinct(_ value: (Instance) -> String?) -> [String] { Set(images.compactMap(value)).sorted() }
    descriptions = distinct(\.seriesDescription)
    protocolNames = distinct(\.protocolName)
    imageTypes = distinct { $0.imageType.isEmpty ? nil : $0.imageType.joined(separator: "\\") }
    bodyParts = distinct(\.bodyPartExamined)
    // A second value of the kernel is the strength of a reconstruction, not another kernel.
    kernels = distinct { $0.convolutionKernel?.split(separator: "\\").first.map(String.init) }
    hasContrast = images.contains(where: \.hasContrastAgent)
    isDerived = images.contains { $0.imageType.first == "DERIVED" }
    isEchoPlanar = images.contains(where: Self.isEchoPlanar)
    isAttenuationCorrected = Self.correction(images, texts: descriptions + protocolNames)
    slices = plan?.grid.slices ?? series.frameCount
    spacing = plan?.spacing
    thickness = images.flatMap(\.frames).compactMap(\.sliceThickness).min()
    orientation = Self.orientation(images)
    let types = Set(images.compactMap { $0.mr?.acquisitionType })
    isVolumetric = types.isEmpty ? (plan?.spacing ?? .infinity) <= Self.volumetricSpacing : types == ["3D"]
  }

  /// Scanning Sequence EP, the enhanced attribute, or a sequence named so (Siemens ep2d, GE epi).
  private static func isEchoPlanar(_ image: Instance) -> Bool {
    guard let mr = image.mr else { return false }
    return mr.scanningSequence.contains("EP") || mr.echoPlanarPulseSequence == "YES"
      || mr.sequenceName?.lowercased().contains("ep2d") == true || image.imageType.contains("EPI")
  }

  private static func correction(_ images: [Instance], texts: [String]) -> Bool? {
    let answers = images.map { correction($0) ?? correction(texts) }
    if answers.contains(false) { return false }
    return answers.allSatisfy { $0 == true } && !answers.isEmpty ? true : nil
  }

  /// Corrected Image, Attenuation Corrected and Attenuation Correction Method, in this order (PS3.3 C.8.9).
  private static func correction(_ image: Instance) -> Bool? {
    guard let pet = image.pet else { return nil }
    if !pet.correctedImage.isEmpty { return pet.correctedImage.contains("ATTN") }
    if let answer = pet.attenuationCorrected { return answer == "YES" }
    return pet.attenuationCorrectionMethod.map { !$0.uppercased().hasPrefix("NONE") }
  }

  private static func correction(_ texts: [String]) -> Bool? {
    texts.contains { Expression.matches(#"\bNAC\b|non.?AC\b|un.?corrected|no.?atten"#, $0) } ? false : nil
  }

  private static func orientation(_ images: [Instance]) -> Orientation? {
    guard let numbers = images.first?.frames.first?.orientation, numbers.count == 6 else { return nil }
    let normal = cross(
      SIMD3(numbers[0], numbers[1], numbers[2]), SIMD3(numbers[3], numbers[4], numbers[5]))
    if abs(normal.z) >= alongAxis { return .axial }
    if abs(normal.y) >= alongAxis { return .coronal }
    return abs(normal.x) >= alongAxis ? .sagittal : .oblique
  }
}
