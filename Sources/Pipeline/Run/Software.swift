// Who made an output: version of the program and of what its numbers depend on.

import Foundation
import Provenance
import Tensors

/// The software behind an output, as the ledger and the derived objects name it.
public struct Software: Codable, Hashable, Sendable {
  /// Changes whenever outputs may change; part of every derived UID.
  public static let version = "0.1.0"
  public static let name = "Fuseline"

  public let version: String
  /// Whose matrix products run; see `Machine.products`.
  public let blas: String
  public let host: String

  /// Instruction set of the kernels: results differ between them in the last bits.
  public let kernels: String

  /// This build on this machine.
  public static var this: Software {
    Software(
      blas: Machine.products, kernels: Machine.instructions.rawValue, host: ProcessInfo.processInfo.hostName)
  }

  public init(blas: String, kernels: String, host: String) {
    version = Self.version
    self.blas = blas
    self.kernels = kernels
    self.host = host
  }

  var record: SoftwareRecord { SoftwareRecord(version: version, blas: blas, host: host, kernels: kernels) }
}
