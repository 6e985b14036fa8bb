// Contact sheets: every pixel where it belongs, gaps between, colour only when needed.

import Imaging
import Testing

@testable import Pictures

@Suite struct ContactSheetTests {
  private let black = Picture.grey(Plane(columns: 2, rows: 1, pixels: [0, 0.25]))
  private let white = Picture.grey(Plane(columns: 1, rows: 2, pixels: [1, 0.75]))
  private let red = Picture.rgb(
    red: Plane(columns: 1, rows: 1, pixels: [1]), green: Plane(columns: 1, rows: 1, pixels: [0]),
    blue: Plane(columns: 1, rows: 1, pixels: [0.125]))

  @Test func `grey pictures stand side by side with a gap of one pixel`() {
    let sheet = ContactSheet(rows: [[black, white]]).picture()
    #expect(
      sheet
        == .grey(
          Plane(
            columns: 4, rows: 2,
            pixels: [
              0, 0.25, 0.5, 1,
              0.5, 0.5, 0.5, 0.75,
            ])))
  }

  @Test func `rows may be of different lengths and places empty`() {
    let sheet = ContactSheet(rows: [[nil, white], [black]], gap: 2, background: 0).picture()
    #expect(
      sheet
        == .grey(
          Plane(
            columns: 5, rows: 5,
            pixels: [
              0, 0, 0, 0, 1,
              0, 0, 0, 0, 0.75,
              0, 0, 0, 0, 0,
              0, 0, 0, 0, 0,
              0, 0.25, 0, 0, 0,
            ])))
  }

  @Test func `one colour picture makes the sheet RGB and leaves grey ones grey`() {
    let channels = ContactSheet(rows: [[black, red]], gap: 0).picture().channels.map(\.pixels)
    #expect(channels == [[0, 0.25, 1], [0, 0.25, 0], [0, 0.25, 0.125]])
  }

  @Test func `a scale of three makes squares of three and leaves the gap alone`() {
    let sheet = ContactSheet(rows: [[black, white]], scale: 3).picture()
    #expect(sheet.columns == 10 && sheet.rows == 6)
    let plane = sheet.channels[0]
    #expect((0..<10).map { plane[$0, 2] } == [0, 0, 0, 0.25, 0.25, 0.25, 0.5, 1, 1, 1])
    #expect((0..<6).map { plane[9, $0] } == [1, 1, 1, 0.75, 0.75, 0.75])
  }

  @Test func `a sheet without pictures is refused when it is written`() throws {
    for rows in [[], [[]], [[nil]]] as [[[Picture?]]] {
      #expect(throws: PictureError.self) { try ContactSheet(rows: rows).picture().png() }
    }
  }

  @Test func `a sheet survives the way through a file`() throws {
    try withFolder { folder in
      let sheet = ContactSheet(rows: [[black, red, white], [red, nil, black]], scale: 2).picture()
      try sheet.write(to: "\(folder)/sheet.png")
      #expect(try Picture(path: "\(folder)/sheet.png").bytes == sheet.bytes)
    }
  }
}
