// Listings on a terminal and as CSV.

import Foundation
import Testing

@testable import Provenance

@Suite struct TableTests {
  static let uid = "1.2.840.113619.2.5.1762583153.215519.978957063.78"
  static let listing = Listing(
    columns: ["job", "state", "series", "finished", "seconds", "sentence"],
    rows: [
      [1, "done", .string(uid), "2026-03-01T02:00:00.000Z", .number(1.5), .null],
      [
        12, "failed", .string(uid), "2026-03-01T02:00:09.123Z", .number(10.25),
        "the worker hung and was stopped",
      ],
    ])

  @Test func `without a width nothing is cut`() {
    let lines = TextTable(Self.listing).render(width: nil).split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "job  state   series                                             finished              seconds  sentence",
        "  1  done    \(Self.uid)  2026-03-01T02:00:00Z    1.500  –",
        " 12  failed  \(Self.uid)  2026-03-01T02:00:09Z   10.250  the worker hung and was stopped",
      ])
  }

  @Test(arguments: [80, 90, 100, 120]) func `a table fits the width, cutting UIDs in the middle first`(
    width: Int
  ) {
    let lines = TextTable(Self.listing).render(width: width).split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
    #expect(lines.prefix(3).allSatisfy { $0.contains("finished") || $0.contains("2026-03-01T02:00:0") })
    #expect(lines[1].contains("1.2.") && lines[1].contains("…") && lines[1].contains(".78"))
    #expect(lines[2].contains("10.250"))
  }

  @Test(arguments: [40, 80, 120]) func `a sentence that is too long goes on below itself`(width: Int) {
    let lines = TextTable(Self.listing).render(width: width).split(separator: "\n").map(String.init)
    let said = lines.dropFirst(2).flatMap { $0.split(separator: " ") }.suffix(7).joined(separator: " ")
    #expect(said == "the worker hung and was stopped" || said.hasSuffix(" the worker hung and was stopped"))
  }

  @Test func `control characters of a file's text do not reach the terminal`() {
    let table = TextTable(Listing(columns: ["text"], rows: [["\u{1B}[2Jboo\nhoo\u{202E}"]]))
    #expect(table.render(width: nil) == "text\n·[2Jboo·hoo·\n")
  }

  @Test func `wide characters take two columns`() {
    let table = TextTable(Listing(columns: ["a", "b"], rows: [["頭部", "x"], ["head", "y"]]))
    #expect(table.render(width: nil) == "a     b\n頭部  x\nhead  y\n")
  }

  @Test func `a small number does not look like nothing`() {
    let rows: [[JSONValue]] = [[.number(0)], [.number(0.000137)], [.number(-0.0005)], [.number(0.25)]]
    let table = TextTable(Listing(columns: ["factor"], rows: rows)).render(width: nil)
    #expect(
      table.split(separator: "\n").map { $0.drop { $0 == " " } }
        == ["factor", "0.000", "0.000137", "-0.001", "0.250"])
  }

  @Test func `an empty listing is its titles`() {
    #expect(TextTable(Listing(columns: ["job", "state"], rows: [])).render(width: 80) == "job  state\n")
  }

  @Test func `CSV quotes what needs quotes`() {
    let listing = Listing(
      columns: ["a", "b,c"], rows: [["say \"hi\"", .null], ["two\nlines", .number(0.1)]])
    #expect(listing.csv == "a,\"b,c\"\r\n\"say \"\"hi\"\"\",\r\n\"two\nlines\",0.1\r\n")
  }

  @Test func `rows of the audit become a listing by the names of their JSON`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let listing = try Listing(fixture.ledger.jobs(), columns: ["job", "state", "fixed_modality", "reason"])
    #expect(listing.rows == [[1, "done", "MR", .null]])
  }

  @Test func `times are UTC with milliseconds and come back the same`() {
    let date = Date(timeIntervalSince1970: 1_772_330_400.123)
    #expect(Timestamp.text(date) == "2026-03-01T02:00:00.123Z")
    #expect(Timestamp.text(Timestamp.date("2026-03-01T02:00:00.999Z") ?? date) == "2026-03-01T02:00:00.999Z")
    #expect(Timestamp.date("1.2.840") == nil)
  }

  @Test func `canonical JSON sorts keys and escapes`() throws {
    let value = JSONValue.object(["b": .array([1, .number(0.5), .null, true]), "a\n": "q\"\\é"])
    #expect(value.canonicalText == #"{"a\u000a":"q\"\\é","b":[1,0.5,null,true]}"#)
    #expect(try JSONDocument(text: value.canonicalText).decode(JSONValue.self) == value)
  }
}
