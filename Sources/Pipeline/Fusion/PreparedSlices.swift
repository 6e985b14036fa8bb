// Slices aligned but not yet fused, shared by the workers of one pair: neighbours look at each other's deformation.

import BSAFusion
import Imaging
import Synchronization

/// What the network made of one slice on its own.
struct PreparedSlice: Sendable {
  let planes: SlicePlanes
  /// The moving image in colour, where it is shown in colour.
  let picture: ColourPicture?
  /// What the network saw as the moving image.
  let input: Plane
  let alignment: SliceAlignment
  /// What its deformation, or its neighbours', is judged against.
  let baseline: AlignmentAcceptance.Baseline
  /// What its own deformation is worth, and whether it may be used.
  let record: SliceRecord
}

/// Keeps the slices around those being fused and makes each of them once, whatever the number of workers.
///
/// Slices are asked for in rising order. Kept are those in the windows under way and in the highest one so far, so memory is
/// bounded by the workers' windows and one more.
final class PreparedSlices: Sendable {
  /// Held while its slice is made: who needs it as well waits for it.
  private final class Entry: Sendable {
    let slice = Mutex<PreparedSlice?>(nil)
  }

  private struct State {
    var entries: [Int: Entry] = [:]
    /// Windows of the calls under way, by the slice they are for.
    var active: [Int: ClosedRange<Int>] = [:]
    /// First slice of the highest window so far; what is asked for next needs nothing below.
    var first = 0
  }

  private let state = Mutex(State())

  /// Slices kept now.
  var count: Int { state.withLock { $0.entries.count } }

  /// The slices of `window`, in its order, while `body` runs on them.
  ///
  /// - Parameters:
  ///   - window: rising indices, `slice` among them.
  ///   - prepare: makes one slice; a pure function of its index.
  func around<Value>(
    _ slice: Int, window: [Int], prepare: (Int) throws -> PreparedSlice,
    body: ([PreparedSlice]) throws -> Value
  ) throws -> Value {
    let entries = state.withLock { state in
      let first = window.first ?? slice
      state.active[slice] = first...max(first, window.last ?? slice)
      state.first = max(state.first, first)
      return window.map { index in
        let entry = state.entries[index] ?? Entry()
        state.entries[index] = entry
        return entry
      }
    }
    defer { leave(slice) }
    // The furthest first, and only what nobody else is at: so two workers do not queue for the same slice.
    for (index, entry) in zip(window, entries).reversed() {
      _ = try entry.slice.withLockIfAvailable { if $0 == nil { $0 = try prepare(index) } }
    }
    return try body(
      zip(window, entries).map { index, entry in
        try entry.slice.withLock { known in
          let made = try known ?? prepare(index)
          known = made
          return made
        }
      })
  }

  private func leave(_ slice: Int) {
    state.withLock { state in
      state.active[slice] = nil
      state.entries = state.entries.filter { index, _ in
        index >= state.first || state.active.values.contains { $0.contains(index) }
      }
    }
  }
}
