// Numbers and text as a capture holds them, and the letters of Patient Orientation.

import Imaging
import Testing

@testable import DICOM

@Suite struct CaptureTextTests {
  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-100.5, "-100.5"), (0.9375, "0.9375"), (1e-20, "1e-20"),
    (-7.123456789012345, "-7.1234567890123"), (1.0 / 3, "0.33333333333333"), (-1.0 / 3e5, "-3.333333333e-06"),
    (123456789.123456789, "123456789.123457"),
  ])
  func `a decimal string says as much of a number as 16 characters can`(value: Double, text: String) throws {
    let decimal = try #require(DecimalString(value))
    #expect(decimal.text == text)
    #expect(decimal.text.utf8.count <= 16)
    #expect(abs((Double(decimal.text) ?? .nan) - value) <= abs(value) * 1e-9)
  }

  @Test func `what is not finite is no decimal string`() {
    for value in [Double.nan, .infinity, -.infinity] { #expect(DecimalString(value) == nil) }
  }

  @Test func `every decimal string is short and close`() throws {
    var state: UInt64 = 1
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = (Double(state >> 11) / 0x1p53 - 0.5) * 2000
      let text = try #require(DecimalString(value)).text
      #expect(text.utf8.count <= 16)
      #expect(abs((Double(text) ?? .nan) - value) < 1e-9)
    }
  }

  @Test func `text of our own is one line of printable ASCII without backslashes`() {
    #expect(PlainText.line("naïve – a\\b\nc", limit: 64) == "na?ve ? a?b?c")
    #expect(PlainText.line(String(repeating: "x", count: 70), limit: 64).count == 64)
    #expect(PlainText.line("👩‍⚕️", limit: 64) == "?")
  }

  @Test func `a code string is upper-case or nothing`() {
    #expect(PlainText.code("Head") == "HEAD")
    #expect(PlainText.code("WHOLEBODY_1") == "WHOLEBODY_1")
    #expect(PlainText.code("") == nil)
    #expect(PlainText.code("Kopf/Hals") == nil)
    #expect(PlainText.code("SEVENTEEN LETTERS") == nil)
  }

  @Test(arguments: [
    ([1.0, 0, 0, 0, 1, 0], "L\\P"), ([0, 1, 0, 0, 0, -1], "P\\F"), ([-1, 0, 0, 0, -1, 0], "R\\A"),
    ([0.98480775, 0.17364818, 0, -0.16317591, 0.92541658, -0.34202014], "LP\\PFR"),
  ])
  func `patient orientation names the longest component first`(cosines: [Double], letters: String) {
    let grid = PlaneGrid(
      columns: 1, rows: 1, origin: .zero, rowDirection: SIMD3(cosines[0], cosines[1], cosines[2]),
      columnDirection: SIMD3(cosines[3], cosines[4], cosines[5]), columnSpacing: 1, rowSpacing: 1)
    #expect(grid.patientOrientation == letters)
  }
}
