// One block of memory for every intermediate of a pass – laid out like a stack, planned before the first pass.

internal import CKernels
internal import Glibc

/// Memory of a fixed size from which maps and rows are taken; what a `scope` took is given back at its end.
///
/// Not `Sendable`: one workspace belongs to one engine on one thread at a time.
public final class Workspace {
  /// Floats past the end of each piece that kernels may read (never keep): the widest tile.
  static let slack = 64
  /// A workspace starts on a large page, so that the system can map it with few of them: fewer faults in the first pass and
  /// fewer misses of the address cache in all.
  static let alignment = 2 << 20

  /// Size in Floats.
  public let capacity: Int
  /// The same in pieces that start on a cache line.
  private var whole: Int { capacity / 16 * 16 }
  /// Most Floats in use at once so far.
  public private(set) var peak = 0
  private var used = 0
  /// Floats in use at the other end.
  private var usedBehind = 0
  private let start: UnsafeMutablePointer<Float>
  /// Takes half of the large layers of what is computed here, if there is one.
  public var second: SecondThread?

  public init(capacity: Int) {
    self.capacity = capacity
    start = UnsafeMutableRawPointer.allocate(
      byteCount: (capacity + Self.slack) * MemoryLayout<Float>.stride, alignment: Self.alignment
    ).bindMemory(to: Float.self, capacity: capacity + Self.slack)
    // Advice: should it fail, pages are small.
    _ = madvise(start, capacity * MemoryLayout<Float>.stride, Int32(MADV_HUGEPAGE))
    (start + capacity).initialize(repeating: 0, count: Self.slack)
  }

  deinit { start.deallocate() }

  /// Has the system back three quarters of it with memory now, which every model uses. Fresh memory costs a first pass a
  /// quarter of its time; that can be spent on another thread. Page by page, for as long as one call lasts nothing else can
  /// be mapped: in one piece it would stop the thread that is to be helped.
  public func populate() {
    let bytes = capacity / 4 * 3 * MemoryLayout<Float>.stride
    for first in stride(from: 0, to: bytes, by: Self.alignment) {
      // MADV_POPULATE_WRITE, Linux 5.14. Advice: where it is not known, pages come when they are used.
      _ = madvise(UnsafeMutableRawPointer(start) + first, min(Self.alignment, bytes - first), 23)
    }
  }

  public var bytes: Int { capacity * MemoryLayout<Float>.stride }

  /// Gives back at its end all that was taken inside.
  public func scope<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let mark = used, markBehind = usedBehind
    defer { (used, usedBehind) = (mark, markBehind) }
    return try body()
  }

  /// Which end a piece is taken from: of two that take turns, either can go before the other.
  public enum End {
    case front, back
  }

  /// How much is in use at an end.
  public func mark(_ end: End) -> Int { end == .front ? used : usedBehind }

  /// Gives back what was taken from an end since it had this mark; what was taken from the other stays.
  public func giveBack(_ end: End, to mark: Int) {
    if end == .front { used = mark } else { usedBehind = mark }
  }

  /// Whether so many more Floats can be taken.
  func hasRoom(for count: Int) -> Bool { used + usedBehind + Self.rounded(count + Self.slack) <= whole }

  /// `count` Floats, uninitialised.
  public func floats(_ count: Int, at end: End = .front) -> UnsafeMutablePointer<Float> {
    let size = Self.rounded(count + Self.slack)
    if end == .front { used += size } else { usedBehind += size }
    peak = max(peak, used + usedBehind)
    precondition(
      used + usedBehind <= whole,
      "the plan of the workspace is too small: \(used + usedBehind) of \(whole) floats")
    return start + (end == .front ? used - size : whole - usedBehind)
  }

  /// A map whose rows above and below are zero; the pixels are undefined, and so is the zero column until rows are written.
  public func map(
    images: Int = 1, channels: Int, height: Int, width: Int, at end: End = .front
  ) -> FeatureMap {
    let stride = Self.planeStride(height: height, width: width)
    let piece = floats(images * channels * stride, at: end)
    let map = FeatureMap(
      view: fk_map(
        data: piece + Self.lead(width: width), stride: stride, images: Int32(images),
        channels: Int32(channels),
        height: Int32(height), width: Int32(width), more_above: false, more_below: false))
    withUnsafePointer(to: map.view) { fk_clear_border($0) }
    return map
  }

  /// Rows of tokens, uninitialised.
  public func tokens(rows: Int, columns: Int) -> Tokens {
    Tokens(start: floats(rows * columns), rows: rows, columns: columns)
  }

  /// Floats that a map takes, for plans.
  public static func floats(images: Int = 1, channels: Int, height: Int, width: Int) -> Int {
    rounded(images * channels * planeStride(height: height, width: width) + slack)
  }

  /// Floats before the first pixel of a plane: the row above and the value before it, filled up so that pixels start on
  /// a cache line.
  private static func lead(width: Int) -> Int { rounded(width + 2) }

  /// A plane with its border: a row above and below, a column right of each row, one value before the first.
  private static func planeStride(height: Int, width: Int) -> Int {
    rounded(lead(width: width) + (height + 1) * (width + 1))
  }

  private static func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}
