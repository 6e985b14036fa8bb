// What comes from files and the ledger stays text on a page.

import Foundation
import Testing

@testable import Report

@Suite struct HTMLTests {
  @Test func `markup in a text stays text`() {
    #expect(
      HTML.text("<script>alert('&\"')</script>")
        == "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;")
    #expect(HTML.text("a\u{0}b\u{1B}") == "a\u{FFFD}b\u{FFFD}")
    #expect(HTML.text("Zoë 山田") == "Zoë 山田")
  }

  @Test func `no text inside JSON can end its script element`() throws {
    let json = try HTML.json(["</script><!--", "\u{2028}"])
    #expect(!json.contains("<") && !json.contains("\u{2028}"))
    #expect(try JSONDecoder().decode([String].self, from: Data(json.utf8)) == ["</script><!--", "\u{2028}"])
  }

  @Test func `a page forbids everything that would leave the file`() {
    let page = HTML.page(title: "t", body: "", scripts: ["1"])
    #expect(page.contains("default-src 'none'"))
    #expect(!page.contains("http:") && !page.contains("https:"))
    for asset in [Assets.style, Assets.viewer, Assets.plots, Assets.job] {
      #expect(!asset.contains("://") || asset.contains("http://www.w3.org/2000/svg"))
      #expect(!asset.contains("@import") && !asset.contains("fetch("))
    }
  }

  @Test func `slices are counted from 1 and neighbours put together`() {
    #expect(Words.ranges([4, 0, 1, 2, 9]) == "1–3, 5, 10")
    #expect(Words.ranges([]) == "")
  }

  @Test func `times, dates and durations read as people write them`() {
    #expect(Words.time("2026-03-01T02:00:05.123Z")?.contains("2026-03-01 02:00:05 UTC") == true)
    #expect(Words.date("20260301") == "2026-03-01" && Words.date("<b>") == "&lt;b&gt;")
    #expect(Words.duration(59.94) == "59.9 s" && Words.duration(3661) == "1 h 1 min")
  }
}
