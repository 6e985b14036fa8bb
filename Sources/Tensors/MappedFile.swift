// A whole file in memory, read-only and mapped – no interpretation of what is in it.

internal import Glibc

/// Owns one read-only mapping and removes it at the end.
///
/// `@unchecked`: the bytes are never written through this mapping, and it lives as long as the object.
final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(path: String) throws(WeightsError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WeightsError(
        .unreadable, file: path, detail: "is not a regular file; give the path of a .safetensors file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      throw WeightsError(.truncated, file: path, detail: "the file is empty; install it again")
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw .unreadable(path, errno)
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  /// Lets go of the pages that lie wholly in a range of bytes; the file stays mapped, reading maps them again.
  func releasePages(_ range: Range<Int>) {
    let page = Int(getpagesize()), first = (range.lowerBound + page - 1) / page * page
    let last = range.upperBound == bytes.count ? bytes.count : range.upperBound / page * page
    guard first < last, let start = bytes.baseAddress else { return }
    // Advice: should it fail, the pages merely stay.
    _ = madvise(UnsafeMutableRawPointer(mutating: start + first), last - first, Int32(MADV_DONTNEED))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

extension WeightsError {
  static func unreadable(_ path: String, _ code: Int32) -> WeightsError {
    WeightsError(
      .unreadable, file: path,
      detail: "cannot be read (\(String(cString: strerror(code)))); check the path and its permissions")
  }
}
