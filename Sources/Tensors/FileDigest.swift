// SHA-256 of a mapped file, worked out on another thread, if anybody asks: most of loading a model is something else.

internal import Crypto
internal import Dispatch
internal import Synchronization

/// Ends with its owner: when it is gone nobody reads the file any more, which may then be replaced.
final class FileDigest: Sendable {
  private let file: MappedFile
  private let task = DispatchGroup()
  private let result = Result()
  private let isBegun = Atomic(false)

  /// `@unchecked`: written once, by the task that every reader waits for.
  private final class Result: @unchecked Sendable {
    var digits = ""
  }

  init(_ file: MappedFile) { self.file = file }

  /// Has another thread work it out, unless one does or did.
  func begin() {
    guard !isBegun.exchange(true, ordering: .relaxed) else { return }
    DispatchQueue.global(qos: .userInitiated).async(group: task) { [result, file] in
      result.digits = Self.digest(file)
    }
  }

  deinit { task.wait() }

  /// 64 lowercase hexadecimal digits.
  var text: String {
    begin()
    task.wait()
    return result.digits
  }

  private static func digest(_ file: MappedFile) -> String {
    let chunk = 1 << 20, bytes = file.bytes
    var hash = SHA256()
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      let part = start..<min(start + chunk, bytes.count)
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[part]))
      file.releasePages(part)
    }
    return hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }
}
