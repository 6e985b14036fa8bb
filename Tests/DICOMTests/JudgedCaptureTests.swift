// Secondary Captures in the eyes of dciodvfy, dcentvfy, pydicom, SimpleITK and dcmdump.

import Crypto
import Foundation
import Imaging
import Testing

@testable import DICOM

@Suite(.enabled(if: Laboratory.hasPython, "needs .venv/bin/python; `make setup` makes it"))
struct JudgedCaptureTests {
  private let bench: CaptureBench

  init() throws { bench = try CaptureBench.shared.get() }

  @Test func `dciodvfy and dcmdump have nothing to complain about`() throws {
    for path in bench.cases.flatMap(\.paths) {
      let verdict = try #require(bench.verdicts[path])
      #expect(verdict.dciodvfy == [], "\(path)")
      #expect(verdict.dcmdump == [], "\(path)")
    }
  }

  @Test func `dcentvfy finds no contradiction between sources and captures`() throws {
    for one in bench.cases {
      let said = try Laboratory.run("entities.py", one.sources + one.paths)
      #expect(!said.contains("Error") && !said.contains("Missing"), "\(one.name): \(said)")
    }
  }

  @Test func `SimpleITK reads the working grid and every pixel`() throws {
    for (capture, path) in bench.cases.flatMap({ zip($0.captures, $0.paths) }) {
      let image = try #require(bench.verdicts[path]?.SimpleITK)
      let grid = capture.place.grid
      let normal = grid.normal
      let rows = [grid.rowDirection, grid.columnDirection, normal]
      // ITK's direction matrix has the axes as its columns.
      let direction = (0..<3).flatMap { axis in rows.map { $0[axis] } }
      expectClose(image.origin, [grid.origin.x, grid.origin.y, grid.origin.z])
      expectClose(
        Array(image.spacing.prefix(2)), [grid.columnSpacing, grid.rowSpacing])
      expectClose(image.direction, direction)
      #expect(image.size.prefix(2) == [grid.columns, grid.rows])
      let digest = SHA256.hash(data: capture.pixels.bytes).map { String(format: "%02x", $0) }.joined()
      #expect(image.sha256 == digest)
    }
  }

  @Test func `patient and study are those of the fixed slice, byte for byte`() throws {
    let copied = [
      "SpecificCharacterSet", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate",
      "PatientSex", "PatientComments", "PatientAge", "PatientSize", "PatientWeight", "EthnicGroup",
      "PregnancyStatus", "Occupation", "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber",
      "StudyID", "ReferringPhysicianName", "StudyDescription", "PhysiciansOfRecord", "ProcedureCodeSequence",
      "AdmittingDiagnosesDescription", "OtherPatientIDsSequence", "IssuerOfAccessionNumberSequence",
      "TimezoneOffsetFromUTC", "PositionReferenceIndicator",
    ]
    for one in bench.cases {
      let source = try #require(bench.verdicts[one.sources[0]])
      for path in one.paths {
        let capture = try #require(bench.verdicts[path])
        for keyword in copied {
          #expect(capture.pydicom[keyword] == source.pydicom[keyword], "\(one.name) \(keyword)")
          #expect(capture.stored[keyword] == source.stored[keyword], "\(one.name) \(keyword)")
        }
      }
    }
  }

  @Test func `a clinical trial is kept whole or not at all`() throws {
    for one in bench.cases {
      let source = try dataset(one.sources[0])
      let subject = try dataset(one.paths[0])["ClinicalTrialSubjectID"]
      #expect(subject == source["ClinicalTrialSubjectID"])
      #expect((try dataset(one.paths[0])["ClinicalTrialProtocolID"] == nil) == (subject == nil))
    }
    #expect(try bench.cases.contains { try dataset($0.paths[0])["ClinicalTrialSubjectID"] != nil })
  }

  @Test func `nothing of an acquisition, of the present or of a scanner's identity is claimed`() throws {
    let absent = [
      "ProtocolName", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "InstanceCreationDate",
      "DateOfSecondaryCapture", "TimeOfSecondaryCapture", "RescaleSlope", "RescaleIntercept",
      "PixelPaddingValue",
      "NominalScannedPixelSpacing", "ImagerPixelSpacing", "DeviceUID", "StationName", "DeviceSerialNumber",
      "PerformedProcedureStepID", "Laterality", "KVP",
    ]
    for path in bench.cases.flatMap(\.paths) {
      let capture = try dataset(path)
      #expect(absent.filter { capture[$0] != nil } == [])
      #expect(capture["Manufacturer"]?.text == "Fuseline")
      #expect(capture["SoftwareVersions"]?.text == "1.2.3")
      #expect(capture["ImageType"]?.list.map(\.text) == ["DERIVED", "SECONDARY", "FUSED"])
      #expect(capture["ConversionType"]?.text == "WSD")
    }
  }

  @Test func `a deformation that was refused is not coded`() throws {
    for one in bench.cases {
      let codes = try one.paths.map { path in
        try dataset(path)["DerivationCodeSequence"]?.list.compactMap { $0["CodeValue"]?.text }
      }
      #expect(codes == [["113085", "125027"], ["113085"], ["113085", "125027"]])
    }
  }

  @Test func `only grey captures have a window`() throws {
    for one in bench.cases {
      let sets = try one.paths.map { try dataset($0) }
      #expect(sets.map { $0["WindowWidth"]?.text } == ["256", "65536", nil])
      #expect(sets.map { $0["WindowCenter"]?.text } == ["128", "32768", nil])
      #expect(sets.map { $0["PresentationLUTShape"]?.text } == ["IDENTITY", "IDENTITY", nil])
      #expect(sets.map { $0["PlanarConfiguration"]?.text } == [nil, nil, "0"])
    }
  }

  @Test func `sources are referred to slice by slice, with frames, by study and series`() throws {
    for one in bench.cases {
      for (capture, path) in zip(one.captures, one.paths) {
        let set = try dataset(path)
        let images = try #require(set["SourceImageSequence"]).list
        #expect(images.map { $0["ReferencedSOPInstanceUID"]?.text } == capture.sources.map(\.sopInstanceUID))
        #expect(images.map { $0["SpatialLocationsPreserved"]?.text }.first == "YES")
        #expect(images.dropFirst().allSatisfy { $0["SpatialLocationsPreserved"]?.text == "NO" })
        let other = set["StudiesContainingOtherReferencedInstancesSequence"]?.list ?? []
        #expect(other.count == (one.name == "utf8" ? 1 : 0))
        #expect(set["ReferencedSeriesSequence"]?.list.count == (one.name == "utf8" ? 1 : 2))
      }
    }
    let spect = try dataset(try #require(bench.cases.first { $0.name == "kanji" }).paths[0])
    let frames = spect["SourceImageSequence"]?.list[1]["ReferencedFrameNumber"]
    #expect(frames?.list.map(\.text) == ["2", "3"])
  }

  @Test func `both scanners and this program are contributing equipment`() throws {
    for path in bench.cases.flatMap(\.paths) {
      let equipment = try #require(dataset(path)["ContributingEquipmentSequence"]).list
      let purposes = equipment.map { $0["PurposeOfReferenceCodeSequence"]?.list[0]["CodeValue"]?.text }
      #expect(purposes == ["109102", "109101", "109101"])
      #expect(
        equipment.map { $0["Manufacturer"]?.text } == ["Fuseline", "Maker of Scanners", "Maker of Scanners"])
      #expect(equipment[2]["SoftwareVersions"]?.list.map(\.text) == ["v1", "v2"])
      #expect(equipment.allSatisfy { $0["DeviceUID"] == nil && $0["ContributionDateTime"] == nil })
    }
  }

  @Test func `a lossy source makes a lossy capture, even one that does not admit it`() throws {
    for one in bench.cases {
      let sets = try one.paths.map { try dataset($0) }
      let isLossy = one.name == "latin" || one.name == "jpeg"
      #expect(sets.allSatisfy { $0["LossyImageCompression"]?.text == (isLossy ? "01" : "00") })
      let ratio = one.name == "latin" ? "10.5" : nil
      #expect(sets.allSatisfy { $0["LossyImageCompressionRatio"]?.text == ratio })
      let method = one.name == "latin" ? "ISO_10918_1" : nil
      #expect(sets.allSatisfy { $0["LossyImageCompressionMethod"]?.text == method })
    }
  }

  @Test func `dates are the latest source's, text is plain, the writer is named`() throws {
    for one in bench.cases {
      let set = try dataset(one.paths[0])
      let day = one.name == "utf8" ? "20260302" : "20260301"
      #expect(set["SeriesDate"]?.text == day && set["ContentDate"]?.text == day)
      #expect(set["SeriesTime"]?.text == "100200")
      #expect(set["DerivationDescription"]?.text == "Fuseline 1.2.3; model ct-mr 0123abcd; na?ve")
      let meta = try #require(bench.verdicts[one.paths[0]]).meta
      #expect(meta["ImplementationClassUID"]?.text == SecondaryCapture.Product.implementationClassUID)
      #expect(meta["ImplementationVersionName"]?.text == "FUSELINE_1.2.3")
      #expect(meta["TransferSyntaxUID"]?.text == "1.2.840.10008.1.2.1")
    }
  }

  func dataset(_ path: String) throws -> [String: JudgedValue] {
    try #require(bench.verdicts[path]).pydicom
  }

  private func expectClose(_ found: [Double], _ expected: [Double]) {
    #expect(found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found) \(expected)")
  }
}
