// PNG reading and writing against Pillow.

import Foundation
import Imaging
import Testing

@testable import Pictures

@Suite(.enabled(if: Judge.isAvailable, "needs .venv/bin/python with Pillow; `make setup` makes it"))
struct JudgedPictureTests {
  @Test(arguments: [
    ("grey8", 255), ("grey16", 65535), ("rgb8", 255), ("palette", 255), ("bilevel", 255), ("interlaced", 255),
  ])
  func `a PNG is read as Pillow reads it`(kind: String, white: Int) throws {
    try withFolder { folder in
      try Judge.run("make", folder)
      let path = "\(folder)/\(kind).png"
      try expect(Picture(path: path), is: Judge.opinion(of: path), white: white)
    }
  }

  @Test func `16-bit RGB keeps all its bits`() throws {
    try withFolder { folder in
      try Judge.run("make", folder)
      let truth = try Judge.parse(Data(contentsOf: URL(filePath: "\(folder)/rgb16.json")))
      try expect(Picture(path: "\(folder)/rgb16.png"), is: truth, white: 65535)
    }
  }

  @Test(arguments: [
    ("rgba", PictureError.Reason.transparent), ("greyalpha", .transparent), ("transparent", .transparent),
    ("wide", .tooLarge), ("hollow", .truncated),
  ])
  func `what has no place in a fusion is refused`(kind: String, reason: PictureError.Reason) throws {
    try withFolder { folder in
      try Judge.run("make", folder)
      let error = try #require(throws: PictureError.self) { try Picture(path: "\(folder)/\(kind).png") }
      #expect(error.reason == reason)
      #expect(error.subject == "\(folder)/\(kind).png")
    }
  }

  @Test func `Pillow reads our pictures`() throws {
    try withFolder { folder in
      let grey = Picture.grey(plane(columns: 31, rows: 17))
      let colour = Picture.rgb(
        red: plane(columns: 7, rows: 9), green: plane(columns: 7, rows: 9, seed: 2),
        blue: plane(columns: 7, rows: 9, seed: 3))
      try grey.write(to: "\(folder)/grey.png")
      try grey.write(to: "\(folder)/deep.png", depth: .sixteen)
      try colour.write(to: "\(folder)/colour.png")
      #expect(
        try Judge.opinion(of: "\(folder)/grey.png")
          == .init(columns: 31, rows: 17, samples: grey.bytes.map(Int.init)))
      #expect(
        try Judge.opinion(of: "\(folder)/deep.png")
          == .init(columns: 31, rows: 17, samples: grey.words.map(Int.init)))
      #expect(
        try Judge.opinion(of: "\(folder)/colour.png")
          == .init(columns: 7, rows: 9, samples: colour.bytes.map(Int.init)))
    }
  }

  private func expect(_ picture: Picture, is truth: Judge.Opinion, white: Int) throws {
    #expect(picture.columns == truth.columns && picture.rows == truth.rows)
    let channels = picture.channels
    try #require(truth.samples.count == channels.count * picture.columns * picture.rows)
    for (channel, plane) in channels.enumerated() {
      let expected = stride(from: channel, to: truth.samples.count, by: channels.count)
        .map { Float(truth.samples[$0]) / Float(white) }
      #expect(plane.pixels == expected)
    }
  }
}
