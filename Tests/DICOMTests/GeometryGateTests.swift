// Every way through the geometry gate, on headers made in memory: what is stacked and which code refuses what.

import DICOM
import Imaging
import Testing

@Suite struct `Geometry gate` {
  private func refused(_ reason: DICOMError.Reason, _ instances: [Instance]) {
    refused(reason, "", instances)
  }

  private func refused(_ reason: DICOMError.Reason, _ words: String, _ instances: [Instance]) {
    do throws(DICOMError) {
      _ = try SeriesReader.plan(instances)
      Issue.record("it was planned, not refused as \(reason.rawValue)")
    } catch {
      #expect(error.reason == reason, "\(error)")
      #expect(error.detail.contains(words), "\(error)")
    }
  }

  /// A stack of eight with the `index`th slice from the feet changed.
  private func changed(_ index: Int, _ change: (inout Instance) -> Void) -> [Instance] {
    var stack: [Instance] = Headers.stack().reversed()
    change(&stack[index])
    return stack
  }

  @Test func `slices are sorted along the normal whatever their order`() throws {
    let plan = try SeriesReader.plan(Headers.stack())
    #expect(plan.grid.depths == (0..<8).map { 3 * Double($0) })
    #expect(plan.slices.map { plan.instances[$0.instance].instanceNumber } == (1...8).map { $0 })
    #expect(plan.spacing == 3)
    #expect(plan.notes.isEmpty)
    #expect(plan.grid.plane.columnSpacing == 1 && plan.grid.plane.rowSpacing == 2)
    #expect(plan.grid.plane.columns == 6 && plan.grid.plane.rows == 4)
  }

  @Test func `a sagittal stack is sorted along its own normal`() throws {
    let stack = Headers.stack().map { slice in
      var slice = slice
      slice.frames[0].orientation = [0, 1, 0, 0, 0, -1]
      slice.frames[0].position = SIMD3(slice.frames[0].position?.z ?? 0, 0, 0)
      return slice
    }
    let plan = try SeriesReader.plan(stack)
    #expect(plan.grid.origins.map(\.x) == (0..<8).map { 21 - 3 * Double($0) })
  }

  @Test func `a missing slice is refused by number`() {
    var stack: [Instance] = Headers.stack().reversed()
    stack.remove(at: 3)
    refused(.sliceGap, "6.0 mm lie between instance 3 and instance 5", stack)
  }

  @Test func `uneven spacing up to the limit is kept at true positions`() throws {
    let plan = try SeriesReader.plan(changed(3) { $0.frames[0].position?.z = 10 })
    #expect(plan.grid.depths[3] == 10)
    #expect(plan.notes.contains { $0.contains("2.0–4.0 mm") })
  }

  @Test func `a tilted stack is kept and its tilt noted`() throws {
    let stack = Headers.stack().map { slice in
      var slice = slice
      let depth = slice.frames[0].position?.z ?? 0
      slice.frames[0].position?.y += depth * 0.36397
      return slice
    }
    let plan = try SeriesReader.plan(stack)
    #expect(plan.notes == ["the stack is tilted by 20.0° (gantry tilt); true positions are used"])
  }

  @Test func `localizers are left out, or refused when alone`() throws {
    let plan = try SeriesReader.plan(
      changed(0) {
        $0.imageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        $0.frames[0].orientation = [0, 1, 0, 0, 0, -1]
      })
    #expect(plan.slices.count == 7)
    #expect(plan.notes == ["1 localizer images were left out"])
    let scouts = Headers.stack().map { slice in
      var slice = slice
      slice.imageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
      return slice
    }
    refused(.localizer, scouts)
  }

  @Test func `what is not one stack is refused with its own code`() {
    refused(.tooFewSlices, [])
    refused(.tooFewSlices, "1 slice", Headers.stack(1))
    refused(.mixedSeries, changed(2) { $0.seriesInstanceUID = "1.2.9" })
    refused(.unsupportedSOPClass, changed(2) { $0.sopClassUID = "1.2.840.10008.5.1.4.1.1.7" })
    refused(.mosaic, changed(2) { $0.isMosaic = true })
    refused(.unsupportedPixels, changed(2) { $0.pixels.photometricInterpretation = "RGB" })
    refused(.unsupportedPixels, "Modality LUT", changed(2) { $0.hasModalityLUT = true })
    refused(.missingGeometry, "instance 3", changed(2) { $0.frames[0].position = nil })
    refused(.missingGeometry, changed(2) { $0.frames[0].orientation = nil })
    refused(.missingGeometry, changed(2) { $0.frames[0].pixelSpacing = nil })
    refused(.mixedFrameOfReference, "instance 3", changed(2) { $0.frameOfReferenceUID = "1.9" })
    refused(.mixedMatrix, changed(2) { $0.pixels.rows = 5 })
    refused(.mixedPixelSpacing, changed(2) { $0.frames[0].pixelSpacing = [2, 1.01] })
    refused(.mixedOrientation, changed(2) { $0.frames[0].orientation = [1, 0, 0, 0, 0.998, 0.0632] })
    refused(.duplicatePositions, "instance 2 and instance 3", changed(2) { $0.frames[0].position?.z = 3 })
    refused(.invalidAttribute, changed(2) { $0.frames[0].position?.z = 1e9 })
    refused(.invalidAttribute, changed(2) { $0.frames[0].pixelSpacing = [0, 1] })
    refused(.invalidAttribute, changed(0) { $0.frames[0].orientation = [1, 0, 0, 1, 0, 0] })
  }

  @Test func `one copy of an instance given twice is used`() throws {
    let plan = try SeriesReader.plan(Headers.stack() + Headers.stack())
    #expect(plan.slices.count == 8)
  }

  @Test func `of several echoes the shortest is kept`() throws {
    let first = Headers.stack(4, modality: "MR", sopClass: Headers.mr)
    let echoes = [4.9, 2.4].enumerated().flatMap { number, time in
      first.map { slice in
        var slice = slice
        slice.sopInstanceUID += ".\(number)"
        slice.frames[0].echoTime = time
        return slice
      }
    }
    let plan = try SeriesReader.plan(echoes)
    #expect(plan.slices.count == 4)
    #expect(plan.instances.allSatisfy { $0.frames[0].echoTime == 2.4 })
    #expect(plan.notes == ["the lowest of 2 echo times, 2.4 ms, was kept"])
  }

  @Test func `magnitude is kept before phase`() throws {
    let both = ["M", "P"].flatMap { part in
      Headers.stack(4, modality: "MR", sopClass: Headers.mr).map { slice in
        var slice = slice
        slice.sopInstanceUID += part == "M" ? ".1" : ".2"
        slice.imageType = ["ORIGINAL", "PRIMARY", part, "FFE"]
        return slice
      }
    }
    let plan = try SeriesReader.plan(both)
    #expect(plan.slices.count == 4)
    #expect(plan.instances.allSatisfy { $0.imageType[2] == "M" })
  }

  @Test func `a time series is refused`() {
    let volumes = (1...3).flatMap { time in
      Headers.stack(4).map { slice in
        var slice = slice
        slice.sopInstanceUID += ".\(time)"
        slice.frames[0].temporalIndex = time
        return slice
      }
    }
    refused(.timeSeries, volumes)
  }

  @Test func `units follow modality and header`() throws {
    #expect(try SeriesReader.plan(Headers.stack()).unit == "HU")
    #expect(try SeriesReader.plan(changed(1) { $0.frames[0].hasRescale = false }).unit == "arbitrary")
    #expect(try SeriesReader.plan(changed(1) { $0.frames[0].rescaleType = "US" }).unit == "arbitrary")
    #expect(
      try SeriesReader.plan(Headers.stack(modality: "MR", sopClass: Headers.mr)).unit == "arbitrary")
    let pet = try SeriesReader.plan(Headers.petStack())
    #expect(pet.unit == "SUVbw" && pet.suvFactor != nil)
  }

  @Test func `a PET without weight stays in Bq per ml and says why`() throws {
    let stack = Headers.petStack().map { slice in
      var slice = slice
      slice.pet?.patientWeight = nil
      return slice
    }
    let plan = try SeriesReader.plan(stack)
    #expect(plan.unit == "BQML" && plan.suvFactor == nil)
    #expect(plan.notes == ["no SUV: Patient's Weight (0010,1030) is missing or impossible"])
  }

  @Test func `PET images in different units are refused`() {
    var stack = Headers.petStack()
    stack[1].pet?.units = "CNTS"
    refused(.mixedUnits, stack)
  }
}
