// SUVbw factors against the formula worked out beside each case, and a reason for every header that has none.

import DICOM
import Foundation
import Testing

@Suite struct `SUV factor` {
  /// 70 000 g / (3.7e8 Bq · 2^(−3600/6586.2)), by hand.
  static let oneHour = 2.763366817e-4

  private func factor(_ change: (inout Instance) -> Void) -> SUVFactor {
    let series = Headers.petStack().map { slice in
      var slice = slice
      change(&slice)
      return slice
    }
    return SUVFactor.of(series[0], in: series)
  }

  private func expect(_ factor: SUVFactor, _ value: Double, _ location: SourceLocation = #_sourceLocation) {
    guard let found = factor.value else {
      Issue.record("no factor: \(factor)", sourceLocation: location)
      return
    }
    #expect(abs(found / value - 1) < 1e-6, "found \(found)", sourceLocation: location)
  }

  private func expectNone(
    _ word: String, _ location: SourceLocation = #_sourceLocation, change: (inout Instance) -> Void
  ) {
    guard case .unavailable(let why) = factor(change) else {
      Issue.record("there is a factor", sourceLocation: location)
      return
    }
    #expect(why.contains(word), "\(why)", sourceLocation: location)
  }

  @Test func `decay from the injection to the series time`() {
    expect(factor { _ in }, Self.oneHour)
  }

  @Test func `ADMIN needs no decay`() {
    expect(factor { $0.pet?.decayCorrection = "ADMIN" }, 70_000 / 3.7e8)
  }

  /// As `InstanceReader` reads an enhanced PET: no word for the correction, but the moment it is to.
  @Test func `an enhanced PET is corrected to its Decay Correction DateTime`() {
    expect(
      factor {
        $0.pet?.decayCorrection = nil
        $0.pet?.decayCorrectionDateTime = "20240229130000+0200"
        $0.pet?.startDateTime = "20240229100000+0000"
        $0.seriesTime = "235900"
      }, Self.oneHour)
  }

  @Test func `two radiopharmaceuticals are not one dose`() {
    expectNone("2 radiopharmaceuticals") { $0.pet?.radiopharmaceuticals = 2 }
  }

  @Test func `a bare time of injection before midnight was yesterday`() {
    let found = factor {
      $0.pet?.startDateTime = nil
      $0.pet?.startTime = "233000"
      $0.seriesTime = "003000"
    }
    expect(found, Self.oneHour)
  }

  @Test func `time zones count only when both are given`() {
    expect(
      factor {
        $0.pet?.startDateTime = "20240229110000+0200"
        $0.timezone = "+0100"
      }, Self.oneHour)
    expect(factor { $0.pet?.startDateTime = "20240229100000+0200" }, Self.oneHour)
  }

  @Test func `a reprocessed series counts from GE's scan time`() {
    expect(
      factor {
        $0.seriesTime = "180000"
        $0.pet?.geScanDateTime = "20240229110000.00"
      }, Self.oneHour)
  }

  @Test func `without it, from the frame reference time`() {
    // A 10 min frame acquired at 11:05 whose average activity is 298.4 s in: reference 0 at 11:00.
    let decay = 600 / 6586.2 * 0.693147180559945
    let average = 600 / decay * log(decay / (1 - exp2(-600 / 6586.2)))
    expect(
      factor {
        $0.seriesTime = "180000"
        $0.pet?.actualFrameDuration = 600_000
        $0.pet?.frameReferenceTime = (300 + average) * 1000
      }, Self.oneHour)
  }

  @Test func `without that, from the earliest acquisition`() {
    expect(
      factor {
        $0.seriesTime = "180000"
        $0.acquisitionTime = "110000"
      }, Self.oneHour)
  }

  @Test func `values in g per ml are SUV already`() {
    expect(factor { $0.pet?.units = "GML" }, 1)
    expectNone("body weight") {
      $0.pet?.units = "GML"
      $0.pet?.suvType = "LBM"
    }
  }

  @Test func `Philips counts have a private factor`() {
    expect(
      factor {
        $0.pet?.units = "CNTS"
        $0.pet?.philipsSUVFactor = 0.000551
      }, 0.000551)
    expect(
      factor {
        $0.pet?.units = "CNTS"
        $0.pet?.philipsActivityFactor = 2
      }, 2 * Self.oneHour)
    expectNone("counts") { $0.pet?.units = "CNTS" }
  }

  @Test func `a header without SUV says why`() {
    expectNone("Weight") { $0.pet?.patientWeight = nil }
    expectNone("Weight") { $0.pet?.patientWeight = 0 }
    expectNone("Dose") { $0.pet?.totalDose = 370 }
    expectNone("Half Life") { $0.pet?.halfLife = nil }
    expectNone("Decay Correction") { $0.pet?.decayCorrection = "NONE" }
    expectNone("ATTN") { $0.pet?.correctedImage = ["DECY"] }
    expectNone("DECY") { $0.pet?.correctedImage = ["ATTN"] }
    expectNone("injection") { $0.pet?.startDateTime = "20240229120000" }
    expectNone("injection") { $0.pet?.startDateTime = "20240101100000" }
    expectNone("injection") { $0.pet?.startDateTime = "junk" }
    expectNone("Units") { $0.pet?.units = "PROPCNTS" }
    expectNone("start of the scan") {
      $0.seriesTime = nil
      $0.acquisitionTime = nil
    }
  }
}
