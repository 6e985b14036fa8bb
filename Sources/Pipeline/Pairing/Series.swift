// A series as the catalogue knows it: its accepted instances and what they agree on; no pixels.

public import DICOM
import Imaging

/// One accepted instance and where its file lies.
public struct CataloguedInstance: Codable, Hashable, Sendable {
  public let instance: Instance
  /// Path of the file now (in the store, or in the drop folder while only planning).
  public let path: String
  /// SHA-256 of the file, lower-case hex.
  public let sha256: String

  public init(instance: Instance, path: String, sha256: String) {
    self.instance = instance
    self.path = path
    self.sha256 = sha256
  }
}

/// The instances of one Series Instance UID, in the order of their SOP Instance UIDs.
public struct Series: Codable, Hashable, Sendable {
  public let uid: String
  public let members: [CataloguedInstance]

  public var first: Instance { members[0].instance }
  public var studyInstanceUID: String { first.studyInstanceUID }
  public var modality: String { first.modality }
  /// Frames of all instances together; one per slice in classic objects.
  public var frameCount: Int { members.reduce(0) { $0 + $1.instance.frames.count } }
}

/// Everything accepted so far: images grouped by series, and the registrations.
public struct Catalogue: Sendable {
  /// Series in the order of their UIDs.
  public let series: [Series]
  /// Spatial Registration objects, in the order of their SOP Instance UIDs.
  public let registrations: [CataloguedInstance]
  /// Every identity seen, also of patients' images that are not in the catalogue.
  let identities: Set<PatientKey>

  /// - Parameter identities: patients known beyond the instances.
  public init(_ instances: [CataloguedInstance], identities: [Patient] = []) {
    self.identities = Set(instances.map { PatientKey($0.instance) } + identities.map { PatientKey($0) })
    registrations = instances.filter { $0.instance.registration != nil }
      .sorted { $0.instance.sopInstanceUID < $1.instance.sopInstanceUID }
    series = Dictionary(
      grouping: instances.filter { $0.instance.registration == nil }, by: \.instance.seriesInstanceUID
    )
    .map { uid, members in
      Series(uid: uid, members: members.sorted { $0.instance.sopInstanceUID < $1.instance.sopInstanceUID })
    }
    .sorted { $0.uid < $1.uid }
  }
}
