// Has the disk read what a walk through the ledger comes to next, while processors are busy with what it read before; what is
// in the rows is not looked at.

internal import Foundation
internal import GRDB
internal import Synchronization

/// Reads ahead of pieces that are walked one after another.
///
/// Rows that lie beside each other in their tables lie in the file among pages of other tables and of indexes; SQLite asks for
/// one page after another, and the disk waits between them. Here it is asked for whole stretches of the file.
final class ReadAhead: Sendable {
  /// Of the memory that is free, the part that may hold what nobody has asked for yet; and no more than this, bytes.
  private static let share = 4
  private static let most = 512 << 20

  private let table: TablePages
  /// What each piece needs that no earlier one did.
  private let extents: [[Range<Int>]]
  private let budget: Int
  /// How many pieces are being walked or done, `Int.max` at the end.
  private let begun = Mutex(0)
  private let news = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// Begins. Nil where nothing is known about the file or memory is short: then the disk reads what SQLite asks for.
  init?(_ db: Database, path: String, pieces: [VerifiedPiece], budget: Int? = nil) throws {
    let budget = budget ?? min(Self.most, Self.freeMemory / Self.share)
    guard budget > 0, let table = TablePages(path: path) else { return nil }
    let roots = try Row.fetchAll(db, sql: "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")
    self.table = table
    self.budget = budget
    extents = Self.extents(
      pieces, table, roots: Dictionary(roots.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first }))
    Thread { self.work() }.start()
  }

  /// Another piece is being walked.
  func begin() { note { $0 += 1 } }

  /// All pieces have been walked: nothing more is read.
  func end() {
    note { $0 = .max }
    ended.wait()
  }

  private func note(_ change: (inout Int) -> Void) {
    begun.withLock { change(&$0) }
    news.signal()
  }

  private func work() {
    defer { ended.signal() }
    for (index, extents) in extents.enumerated() {
      while ahead(of: index) > budget { news.wait() }
      var left = budget
      for extent in extents {
        left -= extent.count
        // Rows that lie all over the file are not worth what would be read with them.
        guard left >= 0 else { break }
        for start in stride(from: extent.lowerBound, to: extent.upperBound, by: TablePages.request) {
          guard begun.withLock({ $0 }) != .max else { return }
          table.advise(start..<min(start + TablePages.request, extent.upperBound))
        }
      }
    }
  }

  /// Bytes up to and with a piece that nobody walks yet.
  private func ahead(of index: Int) -> Int {
    let begun = begun.withLock { $0 }
    guard begun <= index else { return 0 }
    return extents[begun...index].joined().reduce(0) { $0 + $1.count }
  }

  /// Where the rows of each piece lie, by its own tables' first and last rows.
  static func extents(_ pieces: [VerifiedPiece], _ table: TablePages, roots: [String: Int]) -> [[Range<Int>]]
  {
    var known = IndexSet()
    return pieces.map { piece in
      var wanted = IndexSet()
      for (name, keys) in piece.keys {
        guard let root = roots[name], let extent = table.extent(of: keys, root: root) else { continue }
        wanted.insert(integersIn: extent.lowerBound / table.pageSize..<extent.upperBound / table.pageSize)
      }
      wanted.subtract(known)
      known.formUnion(wanted)
      return wanted.rangeView.map { $0.lowerBound * table.pageSize..<$0.upperBound * table.pageSize }
    }
  }

  /// Bytes that can be had without swapping; 0 where the system does not say.
  private static var freeMemory: Int {
    let lines = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let words = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ") ?? []
    return words.count > 1 ? (Int(words[1]) ?? 0) << 10 : 0
  }
}

extension VerifiedPiece {
  /// The rows of each table that lie in the order of the events.
  fileprivate var keys: [(String, ClosedRange<Int64>)] {
    func closed(_ ids: Range<Int64>) -> ClosedRange<Int64>? {
      ids.isEmpty ? nil : ids.lowerBound...(ids.upperBound - 1)
    }
    return [("events", events)]
      + [("instances", instances), ("intake", intake), ("slices", slices)].compactMap { name, ids in
        closed(ids).map { (name, $0) }
      }
  }
}
