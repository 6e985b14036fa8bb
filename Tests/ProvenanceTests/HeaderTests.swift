// Headers are kept small and lose nothing by it.

import Foundation
import Testing

@testable import Provenance

@Suite struct HeaderTests {
  @Test func `headers of a series come back as they were, kept as what they differ in`() throws {
    let fixture = try Fixture()
    let common =
      #""modality":"MR","patient":{"name":"A^B","sex":"F"},"rows":256,"text":"\#(String(repeating: "x", count: 200))""#
    let headers = [
      #"{\#(common)}"#, #"{"frames":[{"position":[1.5,-2.25,1e-07]}],\#(common)}"#,
      #"{"a \"quoted\" key":"ä, } \\",\#(common)}"#, #"{"patient":{"name":"A^B"}}"#, "{}",
      #"{"rows":null,\#(common)}"#,
      #"{\#(common.replacingOccurrences(of: "256", with: "null"))}"#,
      #"{ "rows" : 1 }"#,
      #"{\#(common)}"#,
    ]
    for (index, header) in headers.enumerated() {
      var instance = Fixture.instance("1.2.2.\(index)")
      instance.header = JSONDocument(text: header)
      _ = try fixture.ledger.recordAccepted(instance, run: nil)
    }
    for (index, header) in headers.enumerated() {
      let stored = try #require(try fixture.ledger.instance(sopInstanceUID: "1.2.2.\(index)"))
      let found: JSONValue = try stored.header.decode()
      let sent: JSONValue = try JSONDocument(text: header).decode()
      #expect(found == sent)
    }
    let patch: String? = try fixture.value("SELECT header_json FROM instances WHERE sop_uid = '1.2.2.1'")
    #expect(patch == #"{"frames":[{"position":[1.5,-2.25,1e-07]}]}"#)
    let whole: Int? = try fixture.value("SELECT count(*) FROM headers")
    #expect(whole == 4)
    #expect(try fixture.ledger.verify().whole)
  }
}
