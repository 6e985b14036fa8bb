// Failures that are ours or the machine's, as the ledger records them and as the program ends with them.

import DICOM

/// A failure that is ours or the machine's.
struct MachineFault {
  static let noSpace = "no_space"

  let code: String
  let sentence: String

  init(_ error: any Error) {
    switch error {
    case let error as FileError:
      code = error.isNoSpace ? Self.noSpace : "file_error"
      sentence = error.description
    case let error as DICOMError:
      code = error.reason.rawValue
      sentence = "\(error.subject): \(error.detail)"
    default:
      code = "failed"
      sentence = "\(error)"
    }
  }
}

/// The disk is full: nothing that writes can be done until there is room.
public struct DiskFull: Error, Hashable, Sendable, CustomStringConvertible {
  public let sentence: String
  public var description: String { sentence }
}

extension DICOMError.Reason {
  /// The disk or a permission, not the data.
  var isOfTheMachine: Bool { [.noSpace, .cannotWrite, .unreadable, .noDictionary].contains(self) }
}
