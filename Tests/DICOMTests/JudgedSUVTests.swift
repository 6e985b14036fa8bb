// SUVbw factors of many header variants against a calculation in Python that shares no code or calendar with ours.

import DICOM
import Testing

@Suite struct `Judged SUV factors` {
  private func series(_ fields: [String]) -> [Instance] {
    Headers.petStack().map { slice in
      var slice = slice
      slice.pet?.decayCorrection = fields[0]
      slice.pet?.patientWeight = Double(fields[1])
      slice.pet?.totalDose = Double(fields[2])
      slice.pet?.halfLife = Double(fields[3])
      slice.pet?.startTime = fields[4].isEmpty ? nil : fields[4]
      slice.pet?.startDateTime = fields[5].isEmpty ? nil : fields[5]
      slice.seriesDate = fields[6]
      slice.seriesTime = fields[7]
      slice.acquisitionDate = fields[8]
      slice.acquisitionTime = fields[9]
      return slice
    }
  }

  @Test(.enabled(if: Laboratory.hasPython, "no .venv; run make setup"))
  func `five hundred random headers lead to the factor Python finds`() throws {
    let rows = try Laboratory.run("suv.py", ["500"]).split(separator: "\n")
    #expect(rows.count == 500)
    for row in rows {
      let fields = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let series = series(fields)
      let expected = try #require(Double(fields[10]))
      let found = try #require(SUVFactor.of(series[0], in: series).value, "\(row)")
      #expect(abs(found / expected - 1) < 1e-9, "\(row)")
    }
  }
}

@Suite struct `Real World Value Mapping` {
  private func stack(_ modality: String, _ change: (inout FrameGeometry, Double) -> Void) -> [Instance] {
    Headers.stack(modality: modality, sopClass: modality == "PT" ? Headers.pet : Headers.ct).enumerated().map
    {
      var slice = $1
      if modality == "PT" {
        slice.pet = PETHeader()
        slice.pet?.units = "BQML"
      }
      change(&slice.frames[0], Double($0 + 1))
      return slice
    }
  }

  private func pet(_ slope: @escaping (Double) -> Double, unit: String = "{SUVbw}g/ml") throws -> SeriesPlan {
    try SeriesReader.plan(
      stack("PT") { frame, number in
        frame.rescaleSlope = 0.5 * number
        frame.realWorldValues = [RealWorldValue(slope: slope(number), intercept: 0, unit: unit)]
      })
  }

  @Test func `a mapping to SUV that goes with the rescale of every slice is the factor`() throws {
    let plan = try pet { 0.5 * $0 * 4e-4 }
    #expect(plan.unit == "SUVbw")
    #expect(abs((plan.suvFactor ?? 0) / 4e-4 - 1) < 1e-12)
  }

  @Test func `a mapping that does not is not applied, and the plan says so`() throws {
    let plan = try pet { 4e-4 * $0 * $0 }
    #expect(plan.unit == "BQML")
    #expect(plan.notes.contains { $0.contains("contradicts Rescale Slope") })
  }

  @Test func `a mapping to the unit the rescale has says nothing new`() throws {
    let plan = try pet({ 0.5 * $0 }, unit: "Bq/ml")
    #expect(plan.unit == "BQML")
    #expect(!plan.notes.contains { $0.contains("Real World") })
  }

  @Test func `two mappings, a table and an unknown unit are not applied`() throws {
    let one = RealWorldValue(slope: 1, intercept: 0, unit: "Bq/ml")
    for values in [
      [one, one], [RealWorldValue(slope: nil, intercept: nil, unit: "Bq/ml")],
      [RealWorldValue(slope: 1, intercept: 0, unit: "counts")],
    ] {
      let plan = try SeriesReader.plan(stack("PT") { frame, _ in frame.realWorldValues = values })
      #expect(plan.unit == "BQML")
      #expect(plan.notes.contains { $0.contains("Real World Value Mapping") })
    }
  }

  @Test func `a mapping to SUV in a CT is not applied`() throws {
    let plan = try SeriesReader.plan(
      stack("CT") { frame, _ in
        frame.realWorldValues = [RealWorldValue(slope: 2, intercept: 0, unit: "{SUVbw}g/ml")]
      })
    #expect(plan.unit == "HU" && plan.suvFactor == nil)
  }
}
