// The standard palettes, entry by entry, against pydicom's.

import Foundation
import Testing

@testable import Imaging

private struct Palettes: Decodable {
  let tables: [String: [[UInt8]]]
  let uids: [String: String]
}

@Suite struct ColourTableTests {
  @Test(.enabled(if: Judge.isAvailable, Comment(rawValue: Judge.absence)))
  func `pydicom has the same 256 colours and identifiers`() throws {
    try Judge.withFolder { folder in
      try Judge.run("palettes.py", folder.path)
      let judged = try JSONDecoder().decode(
        Palettes.self, from: Data(contentsOf: folder.appending(path: "palettes.json")))
      #expect(Set(judged.tables.keys) == Set(ColourTable.names))
      for (name, colours) in judged.tables {
        let table = try #require(ColourTable.named(name))
        #expect(table.entries.map { [$0.x, $0.y, $0.z] } == colours, "\(name)")
        #expect(table.uid == judged.uids[name])
      }
    }
  }

  @Test func `hot iron goes from black over red to white`() {
    #expect(ColourTable.hotIron.rgb(0) == SIMD3(0, 0, 0))
    #expect(ColourTable.hotIron.rgb(1) == SIMD3(1, 1, 1))
    #expect(ColourTable.hotIron.rgb(128.0 / 255) == SIMD3(1, 0, 0))
    #expect(ColourTable.hotIron.rgb(100.4 / 255) == SIMD3(200.0 / 255, 0, 0))
  }

  @Test(arguments: ColourTable.names)
  func `values beyond 0 to 1 take the end colours`(name: String) throws {
    let table = try #require(ColourTable.named(name))
    #expect(table.entries.count == 256)
    #expect(table.rgb(-3) == table.rgb(0) && table.rgb(.nan) == table.rgb(0))
    #expect(table.rgb(7) == table.rgb(1) && table.rgb(.infinity) == table.rgb(1))
  }

  @Test func `an unknown palette is nil`() { #expect(ColourTable.named("jet") == nil) }
}
