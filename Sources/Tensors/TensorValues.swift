// A tensor's numbers, which stay where they lie in the file until something is computed from them – no meaning, no shape.

internal import CKernels

/// Values in row-major order. Those in half precision are looked at in the mapped file; its pages go back to the system with
/// the last copy of this.
public struct TensorValues: Sendable {
  private enum Storage {
    case floats([Float])
    case halves(MappedHalves)
  }

  private let storage: Storage

  public init(_ floats: [Float]) { storage = .floats(floats) }

  init(_ halves: MappedHalves) { storage = .halves(halves) }

  public var count: Int {
    switch storage {
    case .floats(let values): values.count
    case .halves(let values): values.count
    }
  }

  /// All values in single precision; where they lie in a file they are widened each time.
  public var floats: [Float] {
    switch storage {
    case .floats(let values): values
    case .halves(let values): values.widened()
    }
  }

  /// Those that lie in a file in half precision.
  var halves: MappedHalves? {
    if case .halves(let values) = storage { values } else { nil }
  }

  public var isZero: Bool { isZero(from: 0, by: 1, count: count) }

  /// Whether `count` values, `step` apart from `first` on, are zero.
  func isZero(from first: Int, by step: Int, count: Int) -> Bool {
    switch storage {
    case .floats(let values):
      stride(from: first, to: first + step * count, by: step).allSatisfy { values[$0] == 0 }
    case .halves(let values): values.areZero(from: first, by: step, count: count)
    }
  }
}

/// Finite values in half precision, part of a mapped file whose pages they let go of in the end.
final class MappedHalves: Sendable {
  private let file: MappedFile
  private let range: Range<Int>

  /// Nil where one of them is not finite.
  init?(_ file: MappedFile, _ range: Range<Int>) {
    precondition(range.count.isMultiple(of: 2), "two bytes a value")
    (self.file, self.range) = (file, range)
    guard withPointer({ fk_halves_are_finite($0, count) }) ?? true else { return nil }
  }

  deinit { file.releasePages(range) }

  var count: Int { range.count / 2 }

  /// The first of them, which need not be aligned. Not called where there is none.
  func withPointer<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result? {
    UnsafeRawBufferPointer(rebasing: file.bytes[range]).baseAddress.map(body)
  }

  func areZero(from first: Int, by step: Int, count: Int) -> Bool {
    withPointer { fk_halves_are_zero($0, first, step, count) } ?? true
  }

  func widened() -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let values = buffer.baseAddress else { return }
      initialized = withPointer { fk_half_to_float($0, count, values) }.map { count } ?? 0
    }
  }
}
