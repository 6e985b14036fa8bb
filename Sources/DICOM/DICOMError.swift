// What can be wrong with a DICOM file or series, in words an operator can act on. Never a name or a birth date.

/// A refusal of a file, an instance or a series.
public struct DICOMError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable code; ends up in the ledger, in quarantine folders and in JSON.
  public struct Reason: RawRepresentable, Hashable, Sendable, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }
  }

  public let reason: Reason
  /// Path or UID of what is refused.
  public let subject: String
  /// What is wrong and what to do, one sentence, free of patient data.
  public let detail: String

  public init(_ reason: Reason, subject: String, detail: String) {
    self.reason = reason
    self.subject = subject
    self.detail = detail
  }

  public var description: String { "\(subject): \(detail) [\(reason.rawValue)]" }
}

extension DICOMError.Reason {
  public static let notDICOM = Self("not_dicom")
  public static let empty = Self("empty_file")
  public static let truncated = Self("truncated")
  public static let damaged = Self("damaged")
  public static let unreadable = Self("unreadable")
  public static let missingAttribute = Self("missing_attribute")
  public static let invalidAttribute = Self("invalid_attribute")
  public static let missingPixelData = Self("missing_pixel_data")
  public static let unsupportedTransferSyntax = Self("unsupported_ts")
  public static let unsupportedPixels = Self("unsupported_pixels")
  public static let notImage = Self("not_image")
  public static let noDictionary = Self("no_data_dictionary")
}
