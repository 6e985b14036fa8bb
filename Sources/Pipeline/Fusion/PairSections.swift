// The sections of a pair in the order of its slices: read once each, the next one ahead of time, old ones let go.

import Dispatch
import Imaging
import Synchronization

/// Hands out the section a slice lies in; used by all workers of a pair.
final class PairSections: Sendable {
  private final class Slot: Sendable {
    let section = Mutex<PairSection?>(nil)
  }

  private let reader: SectionReader
  /// Fixed slices of each section but the last, which has what is left.
  let length: Int
  private let slices: Int
  private let slots: [Slot]

  /// - Parameter whole: the only section, where it was read already.
  init(_ reader: SectionReader, length: Int, whole: PairSection?) {
    self.reader = reader
    self.length = length
    slices = reader.fixed.grid.slices
    slots = (0..<(slices + length - 1) / length).map { _ in Slot() }
    if let whole { slots[0].section.withLock { $0 = whole } }
  }

  /// The section of one fixed slice; waits while another worker reads it.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded.
  func section(of slice: Int) throws -> PairSection {
    let (index, offset) = slice.quotientAndRemainder(dividingBy: length)
    if offset == length / 2, index + 1 < slots.count {
      // So that no worker waits at the seam. An error is met again by the one who asks for it.
      DispatchQueue.global().async { [self] in _ = try? load(index + 1) }
    }
    return try load(index)
  }

  private func load(_ index: Int) throws -> PairSection {
    try slots[index].section.withLock { held in
      if let held { return held }
      let first = index * length
      let section = try reader.read(first..<min(first + length, slices))
      held = section
      // Workers go forward together; one that is behind has its section still, or reads it again.
      for old in slots.prefix(max(0, index - 1)) { old.section.withLock { $0 = nil } }
      return section
    }
  }
}
