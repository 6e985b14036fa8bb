// Signed statements about the chain that, kept elsewhere, reveal a ledger whose end was cut off or rewritten.

internal import Crypto
internal import Foundation

/// "Event `seq` of this ledger had digest `hash`", signed with Ed25519. Binary values in hexadecimal.
public struct Checkpoint: Codable, Hashable, Sendable {
  public var ledger: String
  public var seq: Int64
  public var hash: String
  public var time: String
  public var publicKey: String
  public var signature: String

  enum CodingKeys: String, CodingKey {
    case ledger, seq, hash, time, signature
    case publicKey = "public_key"
  }

  /// The bytes that are signed: a line for each of the format's name, ledger, seq, hash and time.
  static func message(ledger: String, seq: Int64, hash: String, time: String) -> Data {
    Data("fuseline-checkpoint-1\n\(ledger)\n\(seq)\n\(hash)\n\(time)\n".utf8)
  }

  /// Is the signature that of the key named in the checkpoint?
  public var isSigned: Bool {
    guard let key = bytes(hex: publicKey), let signature = bytes(hex: signature),
      let verifier = try? Curve25519.Signing.PublicKey(rawRepresentation: key)
    else { return false }
    return verifier.isValidSignature(
      signature, for: Self.message(ledger: ledger, seq: seq, hash: hash, time: time))
  }
}

/// The private key that signs checkpoints. Its file must not lie where whoever may edit the ledger can read it.
public struct CheckpointKey: Sendable {
  let key: Curve25519.Signing.PrivateKey

  /// Public key, hexadecimal: note it down, it tells a checkpoint signed here from a forged one.
  public var publicKey: String { hex(key.publicKey.rawRepresentation) }

  /// Reads the key at `path` (64 hexadecimal digits), making a new one of mode 0600 where there is none.
  /// - Throws: `LedgerError`.
  public static func load(orCreate path: String) throws -> CheckpointKey {
    if let text = try? String(contentsOfFile: path, encoding: .utf8) {
      let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
      guard let raw = bytes(hex: trimmed),
        let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: raw)
      else {
        throw LedgerError(
          .damaged, subject: path, detail: "this is not a checkpoint key of 64 hexadecimal digits, restore it"
        )
      }
      return CheckpointKey(key: key)
    }
    let key = Curve25519.Signing.PrivateKey()
    let part = "\(path).\(getpid()).part"
    defer { unlink(part) }
    do { try write(hex(key.rawRepresentation) + "\n", to: part) } catch { throw cannotMake(path, errno) }
    // Durable under its name before anything is signed with it: a key that is lost makes its checkpoints worthless.
    if link(part, path) != 0 {
      if errno == EEXIST { return try load(orCreate: path) }
      throw cannotMake(path, errno)
    }
    let folder = (path as NSString).deletingLastPathComponent
    guard flush(folder.isEmpty ? "." : folder) else {
      let code = errno
      unlink(path)
      throw cannotMake(path, code)
    }
    return CheckpointKey(key: key)
  }

  private static func write(_ text: String, to path: String) throws {
    unlink(path)
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data(text.utf8))
    try file.synchronize()
    try file.close()
  }

  private static func flush(_ folder: String) -> Bool {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  private static func cannotMake(_ path: String, _ code: Int32) -> LedgerError {
    LedgerError(
      code == ENOSPC || code == EDQUOT ? .diskFull : .cannotCreate, subject: path,
      detail:
        "the checkpoint key cannot be made here (\(String(cString: strerror(code)))), check folder and disk")
  }
}

extension CheckpointKey {
  func sign(ledger: String, seq: Int64, hash: Data, time: String) throws -> Checkpoint {
    let message = Checkpoint.message(ledger: ledger, seq: seq, hash: hex(hash), time: time)
    return Checkpoint(
      ledger: ledger, seq: seq, hash: hex(hash), time: time, publicKey: publicKey,
      signature: hex(try key.signature(for: message)))
  }
}

/// The bytes of an even number of hexadecimal digits; nil for anything else.
func bytes(hex text: String) -> Data? {
  let digits = Array(text.utf8).map { Character(Unicode.Scalar($0)).hexDigitValue }
  guard digits.count % 2 == 0 else { return nil }
  var data = Data(capacity: digits.count / 2)
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let high = digits[index], let low = digits[index + 1] else { return nil }
    data.append(UInt8(high << 4 | low))
  }
  return data
}
