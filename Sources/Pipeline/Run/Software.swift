// Who made an output: version of the program and of what its numbers depend on.

import Foundation

/// The software behind an output, as the ledger and the derived objects name it.
public struct Software: Codable, Hashable, Sendable {
  /// Changes whenever outputs may change; part of every derived UID.
  public static let version = "0.1.0"
  public static let name = "Fuseline"

  public let version: String
  /// Core whose BLAS kernels run: results differ between cores in the last bits.
  public let blas: String
  public let host: String

  public init(blas: String, host: String = ProcessInfo.processInfo.hostName) {
    version = Self.version
    self.blas = blas
    self.host = host
  }
}
