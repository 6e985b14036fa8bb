// From the shim's status codes to reasons, in this one place.

internal import CDCMTK

extension DICOMError.Reason {
  public static let outOfMemory = Self("out_of_memory")
  public static let internalError = Self("internal_error")
  public static let cannotWrite = Self("cannot_write")

  fileprivate init(code: Int32) {
    switch Int(code) {
    case DK_UNREADABLE: self = .unreadable
    case DK_EMPTY: self = .empty
    case DK_NOT_DICOM: self = .notDICOM
    case DK_TRUNCATED: self = .truncated
    case DK_DAMAGED: self = .damaged
    case DK_MISSING: self = .missingAttribute
    case DK_INVALID: self = .invalidAttribute
    case DK_MISSING_PIXELS: self = .missingPixelData
    case DK_UNSUPPORTED_SYNTAX: self = .unsupportedTransferSyntax
    case DK_UNSUPPORTED_PIXELS: self = .unsupportedPixels
    case DK_MEMORY: self = .outOfMemory
    case DK_CANNOT_WRITE: self = .cannotWrite
    case DK_NO_DICTIONARY: self = .noDictionary
    default: self = .internalError
    }
  }
}

extension DICOMError {
  init(_ status: dk_status, subject: String) {
    let detail = withUnsafeBytes(of: status.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    self.init(Reason(code: status.code), subject: subject, detail: detail)
  }
}
