// Unique identifiers: reproducible, well-formed and safe as path components.

import Testing

@testable import DICOM

@Suite struct UIDTests {
  @Test func `the same parts give the same UID, today and on another machine`() {
    // hashlib.sha256 over the length-prefixed parts, version and variant bits set, as an integer.
    #expect(UID.derived(from: ["fixed", "moving"]) == "2.25.19763120494996574222498372009454446495")
  }

  @Test func `moving a character from one part to the next gives another UID`() {
    #expect(UID.derived(from: ["ab", "c"]) != UID.derived(from: ["a", "bc"]))
    #expect(UID.derived(from: ["abc"]) != UID.derived(from: ["abc", ""]))
  }

  @Test func `derived UIDs are valid and never longer than 64 characters`() {
    for number in 0..<500 {
      let uid = UID.derived(from: ["\(number)"])
      #expect(UID.isSafe(uid))
      #expect(uid.hasPrefix("2.25.") && uid.utf8.count <= 44)
    }
  }

  @Test(arguments: ["1.2.840.10008.5.1.4.1.1.7", "1", "1.02.3", String(repeating: "1", count: 64)])
  func `digits and single dots are safe`(uid: String) { #expect(UID.isSafe(uid)) }

  @Test(arguments: [
    "", ".", "..", "1..2", ".1", "1.", "1.2/3", "1.2 ", "1.2\0", "../1", "1.2a", "１.2",
    String(repeating: "1", count: 65),
  ])
  func `anything else is not`(uid: String) { #expect(!UID.isSafe(uid)) }
}
