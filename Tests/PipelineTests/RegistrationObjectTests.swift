// Spatial Registration objects: which frames of reference they bring together, which way, and when they do not count.

import DICOM
import Imaging
import Testing

@testable import Pipeline

@Suite struct RegistrationObjectTests {
  private let mr = Made(uid: "1.1", modality: "MR", frame: "9.1")
  private let ct = Made(uid: "1.2", modality: "CT", frame: "9.2")
  /// A quarter turn about z and a shift.
  private let turn: [Double] = [0, -1, 0, 5, 1, 0, 0, -3, 0, 0, 1, 2, 0, 0, 0, 1]
  private let shift: [Double] = [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1]

  private func object(
    _ uid: String, _ frames: [(String, [Double])], to target: String, type: String = "RIGID",
    deformable: Bool = false, date: String = "20260101", patient: Patient? = nil
  ) -> CataloguedInstance {
    var instance = mr.instances()[0].instance
    instance.sopInstanceUID = uid
    instance.seriesInstanceUID = uid
    instance.modality = "REG"
    instance.isImage = false
    instance.contentDate = date
    if let patient { instance.patient = patient }
    instance.registration = SpatialRegistration(
      registeredFrameUID: target, isDeformable: deformable,
      items: frames.map { .init(frameOfReferenceUID: $0.0, matrices: [$0.1], types: [type]) })
    return CataloguedInstance(instance: instance, path: "/store/\(uid)", sha256: uid)
  }

  private func paired(_ objects: CataloguedInstance...) throws -> PairingResult {
    let settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    return Pairing(settings).pairs(in: Catalogue(mr.instances() + ct.instances() + objects))
  }

  private func matrix(_ result: PairingResult) -> [Double]? { result.pairs.first?.transform.transform.matrix }

  @Test func `a registration makes a pair of two frames, and maps fixed to moving`() throws {
    let result = try paired(object("5.1", [("9.1", turn)], to: "9.2"))
    #expect(matrix(result) == turn)
    #expect(result.pairs.first?.transform.objects.map(\.sha256) == ["5.1"])
    #expect(result.leftOut.isEmpty)
  }

  @Test func `a registration the other way round is inverted`() throws {
    let result = try paired(object("5.1", [("9.2", turn)], to: "9.1"))
    #expect(matrix(result) == (try RigidTransform(matrix: turn)).inverse.matrix)
  }

  @Test func `two frames meet in a registered coordinate system of their own`() throws {
    let identity = RigidTransform.identity.matrix
    let result = try paired(object("5.1", [("9.1", turn), ("9.2", shift), ("9.7", identity)], to: "9.9"))
    let expected = try RigidTransform(matrix: shift).inverse.after(RigidTransform(matrix: turn))
    #expect(matrix(result) == expected.matrix)
  }

  @Test func `two objects make a chain`() throws {
    let result = try paired(
      object("5.1", [("9.1", turn)], to: "9.5"), object("5.2", [("9.5", shift)], to: "9.2"))
    #expect(
      matrix(result) == (try RigidTransform(matrix: shift)).after(try RigidTransform(matrix: turn)).matrix)
    #expect(result.pairs.first?.transform.objects.map(\.sha256) == ["5.1", "5.2"])
  }

  @Test func `the newest registration counts`() throws {
    let result = try paired(
      object("5.1", [("9.1", turn)], to: "9.2", date: "20260102"),
      object("5.2", [("9.1", shift)], to: "9.2", date: "20260101"))
    #expect(matrix(result) == turn)
  }

  @Test func `a registration that is not rigid is refused by name`() throws {
    for object in [
      object("5.1", [("9.1", turn)], to: "9.2", type: "AFFINE"),
      object("5.1", [("9.1", turn)], to: "9.2", deformable: true),
      object("5.1", [("9.1", [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])], to: "9.2"),
    ] {
      let result = try paired(object)
      #expect(result.rejected.map(\.reason.code) == ["registration_not_rigid"])
      #expect(result.rejected.first?.reason.sentence.contains("5.1") == true)
    }
  }

  @Test func `a registration of another patient does not count`() throws {
    let other = Patient(patientID: "P2", name: "Phantom^Bo", birthDate: "19700101", sex: "M")
    let result = try paired(object("5.1", [("9.1", turn)], to: "9.2", patient: other))
    #expect(result.pairs.map(\.transform) == [.rigid])
  }

  @Test func `the registration is part of what the output is made from`() throws {
    let settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    let uids = try [turn, shift].map { matrix in
      let pair = try #require(
        paired(object("5.\(matrix[3])", [("9.1", matrix)], to: "9.2")).pairs.first)
      return JobIdentity(pair, modelSHA256: "m", settings: settings).outputSeriesUID
    }
    #expect(uids[0] != uids[1])
  }

  @Test func `a registration that leads away from the other series leaves nothing to fuse`() throws {
    var far = shift
    far[3] = 500
    let result = try paired(object("5.1", [("9.1", far)], to: "9.2"))
    #expect(result.rejected.map(\.reason.code) == ["no_overlap"])
  }
}
