// Quantisation, round trips, determinism, and what happens with damaged files and unwritable places.

import Foundation
import Imaging
import Testing

@testable import Pictures

@Suite struct PictureTests {
  @Test func `samples are value times white plus a half, clamped and truncated`() {
    let values: [Float] = [-1, 0, 0.0019, 0.00197, 0.5, 0.998, 0.9981, 1, 7, .nan, .infinity, -.infinity]
    let picture = Picture.grey(Plane(columns: 12, rows: 1, pixels: values))
    #expect(picture.bytes == [0, 0, 0, 1, 128, 254, 255, 255, 255, 0, 255, 0])
    #expect(picture.words.first == 0 && picture.words[7] == 65535 && picture.words[4] == 32768)
  }

  @Test(arguments: [Picture.Depth.eight, .sixteen])
  func `writing and reading gives every sample back`(depth: Picture.Depth) throws {
    try withFolder { folder in
      let picture = Picture.rgb(
        red: plane(columns: 17, rows: 31), green: plane(columns: 17, rows: 31, seed: 2),
        blue: plane(columns: 17, rows: 31, seed: 3))
      try picture.write(to: "\(folder)/a.png", depth: depth)
      let back = try Picture(path: "\(folder)/a.png")
      #expect(depth == .eight ? back.bytes == picture.bytes : back.words == picture.words)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
    }
  }

  @Test func `the same picture gives the same bytes`() throws {
    let picture = Picture.grey(plane(columns: 64, rows: 64))
    #expect(try picture.png() == picture.png())
  }

  @Test func `a PNG cut anywhere is refused`() throws {
    let png = try Picture.grey(plane(columns: 16, rows: 16)).png()
    for length in 0..<png.count {
      let error = #expect(throws: PictureError.self) {
        try Picture(png: Array(png[..<length]), name: "cut.png")
      }
      #expect(length < 8 || error?.reason == .truncated, "\(length): \(String(describing: error))")
    }
  }

  @Test func `a flipped bit is refused or harmless, never a crash`() throws {
    let picture = Picture.grey(plane(columns: 16, rows: 16))
    let png = try picture.png()
    for position in png.indices {
      for bit in [0x01, 0x80] as [UInt8] {
        var damaged = png
        damaged[position] ^= bit
        if let read = try? Picture(png: damaged, name: "bit.png") { #expect(read.bytes == picture.bytes) }
      }
    }
  }

  @Test func `a text, an empty file, a folder and a missing file are named and told apart`() throws {
    try withFolder { folder in
      try Data("PNG, honestly".utf8).write(to: URL(filePath: "\(folder)/text.png"))
      try Data().write(to: URL(filePath: "\(folder)/empty.png"))
      let reasons = ["text.png", "empty.png", "", "missing.png"].map { name in
        #expect(throws: PictureError.self) { try Picture(path: "\(folder)/\(name)") }
      }
      #expect(reasons.map { $0?.reason } == [.notPNG, .truncated, .unreadable, .unreadable])
      #expect(reasons.allSatisfy { $0?.description.contains(folder) == true })
    }
  }

  @Test func `a place that cannot be written is said so`() throws {
    let error = #expect(throws: PictureError.self) {
      try Picture.grey(plane(columns: 2, rows: 2)).write(to: "/nowhere/at/all.png")
    }
    #expect(error?.reason == .cannotWrite)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
  func `a full disk is said so and leaves nothing behind`() throws {
    try withFolder { folder in
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/a.png.part", withDestinationPath: "/dev/full")
      let error = #expect(throws: PictureError.self) {
        try Picture.grey(plane(columns: 2, rows: 2)).write(to: "\(folder)/a.png")
      }
      #expect(error?.reason == .noSpace)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }
}
