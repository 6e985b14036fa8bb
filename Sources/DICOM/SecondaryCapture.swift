// A fused slice as a derived, single-frame Secondary Capture: all that the object says, not yet how it is written.

public import Imaging

/// A Secondary Capture Image (SOP class 1.2.840.10008.5.1.4.1.1.7, PS3.3 A.8.1) of one fused slice.
///
/// It has no clock and draws nothing at random: the same value gives the same bytes. Patient and study attributes
/// are not in it; they are copied from the file of `fixed` as they are stored when it is encoded.
public struct SecondaryCapture: Sendable {
  /// 1.2.840.10008.5.1.4.1.1.7, Secondary Capture Image Storage.
  public static let sopClassUID = "1.2.840.10008.5.1.4.1.1.7"

  public var identity: Identity
  public var place: Place
  public var pixels: Pixels
  public var dates: Dates
  /// The slice whose grid, frame of reference, patient and study the capture keeps.
  public var fixed: Source
  /// The instances of the other series that contributed to this slice, one entry an instance.
  public private(set) var moving: [Source]
  public var derivation: Derivation
  public var product: Product

  public init(
    identity: Identity, place: Place, pixels: Pixels, dates: Dates, fixed: Source, moving: [Source],
    derivation: Derivation, product: Product
  ) {
    precondition(
      pixels.count == place.grid.rows * place.grid.columns * pixels.samplesPerPixel,
      "the pixels fill the grid exactly")
    self.identity = identity
    self.place = place
    self.pixels = pixels
    self.dates = dates
    self.fixed = fixed
    self.moving = Source.united(moving)
    self.derivation = derivation
    self.product = product
  }

  /// `fixed` and `moving`, in this order.
  public var sources: [Source] { [fixed] + moving }
}

extension SecondaryCapture {
  /// What the instance and its series are called.
  public struct Identity: Sendable, Hashable {
    public var sopInstanceUID: String
    public var seriesInstanceUID: String
    /// IS, the same for all slices of the series.
    public var seriesNumber: Int
    /// LO: at most 64 characters; what is not printable ASCII becomes `?`.
    public var seriesDescription: String
    /// IS, 1 for the first slice along the normal.
    public var instanceNumber: Int
    /// Modality of the fixed series – viewers stack only modalities they know as volumes – or `OT`.
    public var modality: String

    public init(
      sopInstanceUID: String, seriesInstanceUID: String, seriesNumber: Int, seriesDescription: String,
      instanceNumber: Int, modality: String
    ) {
      self.sopInstanceUID = sopInstanceUID
      self.seriesInstanceUID = seriesInstanceUID
      self.seriesNumber = seriesNumber
      self.seriesDescription = seriesDescription
      self.instanceNumber = instanceNumber
      self.modality = modality
    }
  }

  /// Where the pixels are in the patient.
  public struct Place: Sendable, Hashable {
    /// Grid of the pixels of this object, not of its sources; mm, LPS.
    public var grid: PlaneGrid
    /// Slice Thickness of the fixed slice, mm; nil leaves the attribute empty.
    public var sliceThickness: Double?
    /// Frame of reference of the fixed series.
    public var frameOfReferenceUID: String
    /// Patient Position of the fixed series, e.g. `HFS`; nil leaves it empty.
    public var patientPosition: String?
    /// Body Part Examined, e.g. `HEAD`; nil leaves it out.
    public var bodyPart: String?

    public init(
      grid: PlaneGrid, sliceThickness: Double?, frameOfReferenceUID: String, patientPosition: String?,
      bodyPart: String?
    ) {
      self.grid = grid
      self.sliceThickness = sliceThickness
      self.frameOfReferenceUID = frameOfReferenceUID
      self.patientPosition = patientPosition
      self.bodyPart = bodyPart
    }
  }

  /// The pixel values, row-major.
  public enum Pixels: Sendable, Hashable {
    /// MONOCHROME2, 0 black to 255 white, `[row][column]`.
    case grey8([UInt8])
    /// MONOCHROME2, 0 black to 65535 white, `[row][column]`.
    case grey16([UInt16])
    /// RGB, `[row][column][red, green, blue]`.
    case rgb8([UInt8])
  }

  /// How the image came about; ends up in codes and in Derivation Description.
  public struct Derivation: Sendable, Hashable {
    /// The moving image was deformed onto the fixed one; false when the deformation was refused.
    public var aligned: Bool
    /// Facts in reading order: tool and version, model and digest, normalisation, interpolation, … Joined by `; `
    /// and cut at 1024 characters; what is not printable ASCII becomes `?`. Never patient data.
    public var facts: [String]

    public init(aligned: Bool, facts: [String]) {
      self.aligned = aligned
      self.facts = facts
    }
  }

  /// The program that made the image.
  public struct Product: Sendable, Hashable {
    public var manufacturer: String
    public var modelName: String
    public var version: String

    public init(manufacturer: String = "Fuseline", modelName: String = "Fuseline BSAFusion", version: String)
    {
      self.manufacturer = manufacturer
      self.modelName = modelName
      self.version = version
    }

    /// Implementation Class UID (PS3.10 7.1): one for all versions of this writer.
    public static let implementationClassUID = UID.derived(from: ["Fuseline", "Implementation Class UID"])
  }
}

extension SecondaryCapture.Pixels {
  var samplesPerPixel: Int { if case .rgb8 = self { 3 } else { 1 } }

  var bitsAllocated: Int { if case .grey16 = self { 16 } else { 8 } }

  /// Number of samples.
  var count: Int {
    switch self {
    case .grey8(let samples), .rgb8(let samples): samples.count
    case .grey16(let samples): samples.count
    }
  }

  /// The samples in the machine's byte order, as a decoder gives them.
  var bytes: [UInt8] {
    switch self {
    case .grey8(let samples), .rgb8(let samples): samples
    case .grey16(let samples): samples.withUnsafeBytes(Array.init)
    }
  }
}
