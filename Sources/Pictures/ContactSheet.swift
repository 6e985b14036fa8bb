// Pictures side by side in one – fixed, moving, aligned, fused – for people to look at; no text, no scaling of values.

import Imaging

/// A grid of pictures with gaps between them.
public struct ContactSheet: Sendable {
  /// Rows from the top, pictures from the left; nil leaves a place empty. Pictures may differ in size: a place is
  /// as wide as the widest of its column and as high as the highest of its row, its picture in the upper left.
  public var rows: [[Picture?]]
  /// Pixels of the sheet between neighbouring places.
  public var gap: Int
  /// Every pixel of a picture becomes a square of `scale × scale`.
  public var scale: Int
  /// Value of gaps and empty places, 0 black to 1 white.
  public var background: Float

  public init(rows: [[Picture?]], gap: Int = 1, scale: Int = 1, background: Float = 0.5) {
    precondition(gap >= 0, "a gap is not negative")
    precondition(scale >= 1, "a pixel stays at least a pixel")
    self.rows = rows
    self.gap = gap
    self.scale = scale
    self.background = background
  }

  /// The sheet: grey when all its pictures are, else RGB. Without pictures it is empty and cannot be written.
  public func picture() -> Picture {
    let lefts = offsets(of: columnWidths)
    let tops = offsets(of: rows.map { row in row.compactMap { $0?.rows }.max() ?? 0 })
    let isGrey = rows.joined().allSatisfy { $0.map { $0.channels.count == 1 } ?? true }
    var sheet = [Plane](
      repeating: Plane(columns: lefts.total, rows: tops.total, repeating: background), count: isGrey ? 1 : 3)
    for (row, top) in zip(rows, tops.starts) {
      for (picture, left) in zip(row, lefts.starts) {
        guard let channels = picture?.channels else { continue }
        for index in sheet.indices {
          paint(channels[channels.count == 1 ? 0 : index], on: &sheet[index], left: left, top: top)
        }
      }
    }
    return isGrey ? .grey(sheet[0]) : .rgb(red: sheet[0], green: sheet[1], blue: sheet[2])
  }

  /// Widths of the places, pixels of the pictures.
  private var columnWidths: [Int] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.compactMap { row in row.indices.contains(column) ? row[column]?.columns : nil }.max() ?? 0
    }
  }

  /// Where places of these lengths begin on the sheet, and where the last one ends.
  private func offsets(of lengths: [Int]) -> (starts: [Int], total: Int) {
    var next = 0
    let starts = lengths.map { length in
      defer { next += length * scale + gap }
      return next
    }
    return (starts, lengths.isEmpty ? 0 : next - gap)
  }

  private func paint(_ plane: Plane, on sheet: inout Plane, left: Int, top: Int) {
    for row in 0..<plane.rows * scale {
      for column in 0..<plane.columns * scale {
        sheet[left + column, top + row] = plane[column / scale, row / scale]
      }
    }
  }
}
