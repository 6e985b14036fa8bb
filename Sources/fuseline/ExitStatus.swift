// Which exit code an error has; sysexits.h names, as other programs rely on them.

import BSAFusion
import Checkpoints
import DICOM
import Foundation
import Imaging
import Pictures
import Pipeline
import Provenance
import Tensors

/// Exit codes of every command.
struct ExitStatus: Error {
  static let someFailed: Int32 = 1
  static let badData = EX_DATAERR
  static let missingInput = EX_NOINPUT
  static let unavailable = EX_UNAVAILABLE
  static let internalError = EX_SOFTWARE
  static let cannotCreate = EX_CANTCREAT
  static let inputOutput = EX_IOERR
  static let tryLater = EX_TEMPFAIL
  static let configuration = EX_CONFIG

  let code: Int32
  /// What to tell the operator; nil when it has been said.
  let sentence: String?

  init(code: Int32, sentence: String? = nil) {
    self.code = code
    self.sentence = sentence
  }

  init(_ error: any Error) {
    switch error {
    case let status as ExitStatus: self = status
    case let error as ConfigurationError: self.init(code: Self.configuration, sentence: error.description)
    case let error as LeaseHeld: self.init(code: Self.tryLater, sentence: error.description)
    case let error as FileError: self.init(code: Self.code(of: error), sentence: error.description)
    case let error as LedgerError: self.init(code: Self.code(of: error), sentence: error.description)
    case let error as DiskFull: self.init(code: Self.inputOutput, sentence: error.description)
    case let error as ModelError: self.init(code: Self.unavailable, sentence: error.description)
    case let error as WeightsError: self.init(code: Self.unavailable, sentence: error.description)
    case let error as DICOMError where error.reason == .noSpace:
      self.init(code: Self.inputOutput, sentence: error.description)
    case let error as DICOMError where error.reason == .cannotWrite:
      self.init(code: Self.cannotCreate, sentence: error.description)
    case let error as DICOMError: self.init(code: Self.badData, sentence: error.description)
    case let error as CheckpointError: self.init(code: Self.badData, sentence: error.description)
    case let error as PairRefusal: self.init(code: Self.badData, sentence: error.description)
    case let error as FusionError: self.init(code: Self.badData, sentence: error.description)
    case let error as ImagingError: self.init(code: Self.badData, sentence: error.description)
    case let error as PictureError: self.init(code: Self.badData, sentence: error.description)
    default: self.init(code: Self.internalError, sentence: "internal error: \(error)")
    }
  }

  private static func code(of error: LedgerError) -> Int32 {
    switch error.reason {
    case .missing, .notFound: missingInput
    case .query: EX_USAGE
    case .cannotCreate: cannotCreate
    case .diskFull: inputOutput
    case .busy, .leaseLost: tryLater
    default: unavailable
    }
  }

  private static func code(of error: FileError) -> Int32 {
    switch error.code {
    case ENOENT: missingInput
    case EACCES, EPERM, EROFS, ENOTDIR: cannotCreate
    default: inputOutput
    }
  }
}
