// What coordinator and worker say to each other: one JSON document a line, over the worker's standard input and output.

import BSAFusion
import DICOM
import Foundation
import Imaging
import Provenance
import Tensors

/// One pair for a worker; everything it needs, so that it never looks into the ledger.
struct WorkTask: Codable, Sendable {
  let settings: Settings
  let pair: Pair
  let model: ModelReference
  /// Slices that are published already.
  let published: Set<Int>
}

/// Coordinator to worker.
enum WorkOrder: Codable, Sendable {
  case work(WorkTask)
  /// The intents of the announced outputs are on record: write them.
  case go
  /// Finish the slices in hand, then say so.
  case stop
}

/// Worker to coordinator.
enum WorkReport: Codable, Sendable {
  /// Both volumes are read; these outputs are about to be written. The object of the registration is the coordinator's
  /// to put in place.
  case prepared(JobPreparation, [PlannedOutput], RegistrationDelivery?)
  /// The part file of a slice is complete, flushed and verified.
  case written(SlicePublication)
  case done
  case stopped
  case ended(WorkFailure)
}

/// A slice's file before it is written; paths relative to the output folder.
struct PlannedOutput: Codable, Hashable, Sendable {
  let index: Int
  let sopInstanceUID: String
  let part: String
  let final: String
}

/// Why a job ended without its outputs.
struct WorkFailure: Codable, Error, Hashable, Sendable {
  /// What is to be done about it.
  enum Kind: String, Codable, Sendable {
    /// The data cannot be used safely.
    case rejected
    /// The machine's fault or ours.
    case failed
    /// The model is missing or damaged: no job that needs it can be done until it is back.
    case model
  }
  let kind: Kind
  let code: String
  let sentence: String
  /// How a registration went that was not believed; the ledger keeps it.
  let registration: AppliedRegistration?

  init(_ kind: Kind, code: String, sentence: String, registration: AppliedRegistration? = nil) {
    self.kind = kind
    self.code = code
    self.sentence = sentence
    self.registration = registration
  }

  /// Data that cannot be used rejects the pair; everything else is ours or the machine's.
  init(_ error: any Error) {
    switch error {
    case let failure as WorkFailure: self = failure
    case let error as DICOMError where !error.reason.isOfTheMachine:
      self.init(.rejected, code: error.reason.rawValue, sentence: error.detail)
    case let error as ImagingError:
      self.init(.rejected, code: "unusable_values", sentence: error.description)
    case let error as PairRefusal:
      self.init(
        .rejected, code: error.reason.code, sentence: error.reason.sentence, registration: error.registration)
    case let error as ModelError: self.init(.model, code: error.model, sentence: error.message)
    case let error as WeightsError: self.init(.model, code: "weights", sentence: error.description)
    default:
      let fault = MachineFault(error)
      self.init(.failed, code: fault.code, sentence: fault.sentence)
    }
  }
}

/// Reads lines from a file descriptor, however the bytes are cut.
struct LineReader {
  let descriptor: Int32
  private var pending: [UInt8] = []

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// A line that has arrived completely, without its end.
  mutating func takeLine() -> [UInt8]? {
    guard let end = pending.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let line = Array(pending[..<end])
    pending.removeSubrange(...end)
    return line
  }

  /// Reads what there is, waiting for at least one byte; false at the end.
  mutating func fill() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      pending += buffer[..<count]
      return true
    }
  }
}

/// Writes one line.
///
/// - Throws: `FileError` when the other side has gone.
func writeLine(_ value: some Encodable, to descriptor: Int32) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.withoutEscapingSlashes]
  var rest = try encoder.encode(value)[...]
  rest.append(UInt8(ascii: "\n"))
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    if count < 0 { throw FileError("write to", "the other process") }
    rest = rest.dropFirst(count)
  }
}
