// When two images are of the same patient; the one place that decides it.

import DICOM
import Foundation

/// What must agree for two images to be of one patient: ID and issuer, and whichever of name, birth date and sex
/// both give. Compared after trimming the padding DICOM allows.
struct PatientKey: Hashable {
  let patientID: String?
  let issuer: String?
  let name: String?
  let birthDate: String?
  let sex: String?

  init(_ instance: Instance) { self.init(instance.patient) }

  init(_ patient: Patient) {
    patientID = Self.clean(patient.patientID)
    issuer = Self.clean(patient.issuerOfPatientID)
    name = Self.clean(patient.name)
    birthDate = Self.clean(patient.birthDate)
    sex = Self.clean(patient.sex)
  }

  /// Names of the attributes that differ.
  func differences(from other: PatientKey) -> [String] {
    var names: [String] = []
    if patientID != other.patientID { names.append("Patient ID") }
    if issuer != other.issuer { names.append("Issuer of Patient ID") }
    if name != other.name { names.append("Patient's Name") }
    if birthDate != other.birthDate { names.append("Patient's Birth Date") }
    if sex != other.sex { names.append("Patient's Sex") }
    return names
  }

  /// Names of the attributes that both give and that differ beyond case: what the ledger lists as a conflict.
  func contradictions(of other: PatientKey) -> [String] {
    func differ(_ a: String?, _ b: String?) -> Bool {
      guard let a, let b else { return false }
      return a.uppercased() != b.uppercased()
    }
    var names: [String] = []
    if differ(name, other.name) { names.append("Patient's Name") }
    if differ(birthDate, other.birthDate) { names.append("Patient's Birth Date") }
    if differ(sex, other.sex) { names.append("Patient's Sex") }
    return names
  }

  /// Same for all images of one ID and issuer; lengths keep two fields from running together.
  var groupingText: String {
    [patientID ?? "", issuer ?? ""].map { "\($0.utf8.count):\($0)" }.joined(separator: "|")
  }

  private static func clean(_ text: String?) -> String? {
    let trimmed =
      text?.trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "^\0"))) ?? ""
    return trimmed.isEmpty ? nil : trimmed
  }
}

/// Who shares a Patient ID with whom, over everything taken in.
struct PatientIdentities {
  static let conflict = "patient_conflict"

  /// Patient IDs (with issuer) that more than one person answers to, and what differs.
  private var contested: [String: [String]] = [:]

  init(_ catalogue: Catalogue) {
    for (text, persons) in Dictionary(grouping: catalogue.identities, by: \.groupingText)
    where persons.count > 1 {
      let differing = Set(persons.flatMap { one in persons.flatMap { one.contradictions(of: $0) } })
      if !differing.isEmpty { contested[text] = differing.sorted() }
    }
  }

  /// Why two images are not to be fused; nil where they are of one person.
  func refusal(_ a: Instance, _ b: Instance) -> Refusal? {
    let (one, other) = (PatientKey(a), PatientKey(b))
    if one != other {
      return Refusal(
        Self.conflict,
        "the two series disagree on \(one.differences(from: other).joined(separator: ", ")); correct it at its "
          + "source")
    }
    guard let differing = contested[one.groupingText] else { return nil }
    return Refusal(
      Self.conflict,
      "other images with this Patient ID disagree on \(differing.joined(separator: ", ")), so it is not sure whose "
        + "these are; see `fuseline audit conflicts` and correct it at its source")
  }
}

/// Distance between the dates of two studies, days; nil where one has no readable date.
func daysApart(_ a: Instance, _ b: Instance) -> Double? {
  guard let a = dicomDate(a.studyDate), let b = dicomDate(b.studyDate) else { return nil }
  return abs(a.timeIntervalSince(b)) / 86_400
}

/// A DA value (YYYYMMDD) as midnight UTC; only differences of such dates are used.
private func dicomDate(_ text: String?) -> Date? {
  guard let text, text.count == 8, let year = Int(text.prefix(4)),
    let month = Int(text.dropFirst(4).prefix(2)),
    let day = Int(text.suffix(2))
  else { return nil }
  var calendar = Calendar(identifier: .gregorian)
  calendar.timeZone = .gmt
  return calendar.date(from: DateComponents(year: year, month: month, day: day))
}
