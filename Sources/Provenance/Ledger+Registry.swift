// With what: software, settings and models, each registered once under its identity.

internal import GRDB

/// A build of the program on a machine. Its kernels are part of it: last bits differ between them.
public struct SoftwareRecord: Codable, Hashable, Sendable {
  public var version: String
  public var blas: String
  public var host: String
  public var kernels: String

  public init(version: String, blas: String, host: String, kernels: String) {
    self.version = version
    self.blas = blas
    self.host = host
    self.kernels = kernels
  }
}

/// A weights file.
public struct ModelRecord: Codable, Hashable, Sendable {
  public var name: String
  public var sha256: String
  public var path: String
  /// Number of trained values.
  public var parameters: Int

  public init(name: String, sha256: String, path: String, parameters: Int) {
    self.name = name
    self.sha256 = sha256
    self.path = path
    self.parameters = parameters
  }
}

extension Ledger {
  /// Registers a build; returns its row id, the same one for the same build.
  public func register(software: SoftwareRecord) throws -> Int64 {
    try write { change in
      if let known: Int64 = try change.value(
        "SELECT id FROM software WHERE version = ? AND blas = ? AND host = ? AND kernels = ?",
        [software.version, software.blas, software.host, software.kernels])
      {
        return known
      }
      let id = try change.insert(
        "INSERT INTO software (version, blas, host, kernels, registered) VALUES (?, ?, ?, ?, ?)",
        [software.version, software.blas, software.host, software.kernels, change.now])
      try change.announce(
        .software, id, "software.registered", subject: "software:\(software.version)",
        [
          "blas": .string(software.blas), "host": .string(software.host),
          "kernels": .string(software.kernels),
        ])
      return id
    }
  }

  /// Registers the effective settings' canonical text under its digest; returns the row id.
  public func register(settings text: String, sha256: String) throws -> Int64 {
    try write { change in
      if let known: Int64 = try change.value("SELECT id FROM settings WHERE sha256 = ?", [sha256]) {
        return known
      }
      let id = try change.insert(
        "INSERT INTO settings (sha256, text, registered) VALUES (?, ?, ?)", [sha256, text, change.now])
      try change.announce(.settings, id, "settings.registered", subject: "settings:\(sha256)")
      return id
    }
  }

  /// Registers a model under its name and digest; returns the row id. A moved file only changes its path.
  public func register(model: ModelRecord) throws -> Int64 {
    try write { change in
      if let known = try change.row(
        "SELECT id, path FROM models WHERE sha256 = ? AND name = ?", [model.sha256, model.name])
      {
        if known["path"] != model.path {
          try change.run("UPDATE models SET path = ? WHERE id = ?", [model.path, known["id"] as Int64])
        }
        return known["id"]
      }
      let id = try change.insert(
        "INSERT INTO models (name, sha256, path, parameters, registered) VALUES (?, ?, ?, ?, ?)",
        [model.name, model.sha256, model.path, model.parameters, change.now])
      try change.announce(
        .model, id, "model.registered", subject: "model:\(model.sha256)",
        ["name": .string(model.name), "parameters": .integer(Int64(model.parameters))])
      return id
    }
  }
}
