// Events as DICOM audit messages (PS3.15 A.5), one XML document a line, as a syslog message would carry it.

internal import Foundation
internal import GRDB

/// Builds one `AuditMessage` of an event.
struct AuditMessage {
  /// What an event is about, as far as the ledger knows it.
  struct Object {
    var study: String?
    var sopClass: String?
    var sop: String?
    var patient: String?
  }

  let ledger: String
  let host: String

  /// The message, without a line feed in it.
  func text(_ event: EventRow, about object: Object) -> String {
    let (code, meaning, action, type) = Self.category(event.kind)
    let identification = Self.element(
      "EventIdentification",
      [
        "EventActionCode": action, "EventDateTime": event.time,
        "EventOutcomeIndicator": Self.outcome(event.kind),
      ],
      [
        Self.code("EventID", code, "DCM", meaning),
        type.map { Self.code("EventTypeCode", $0.code, "DCM", $0.meaning) }
          ?? Self.code("EventTypeCode", event.kind, "99FUSELINE", event.kind),
      ])
    let participant = Self.element(
      "ActiveParticipant",
      [
        "UserID": "fuseline@\(host)", "UserIsRequestor": "false", "NetworkAccessPointID": host,
        "NetworkAccessPointTypeCode": "1",
      ], [Self.code("RoleIDCode", "110150", "DCM", "Application")])
    let source = Self.element(
      "AuditSourceIdentification", ["AuditSourceID": "urn:uuid:\(ledger)"],
      [Self.element("AuditSourceTypeCode", ["csd-code": "4"])])
    let objects = [study(object, event), patient(object), record(event)].compactMap { $0 }
    return Self.element("AuditMessage", [:], [identification, participant, source] + objects)
  }

  /// The study, with the image the event is about.
  private func study(_ object: Object, _ event: EventRow) -> String? {
    guard let study = object.study else { return nil }
    let instance = object.sop.map { [Self.element("Instance", ["UID": $0])] } ?? []
    let content = object.sopClass.map {
      [
        Self.element(
          "ParticipantObjectDescription", [:],
          [Self.element("SOPClass", ["UID": $0, "NumberOfInstances": "\(instance.count)"], instance)])
      ]
    }
    return Self.element(
      "ParticipantObjectIdentification",
      [
        "ParticipantObjectID": study, "ParticipantObjectTypeCode": "2", "ParticipantObjectTypeCodeRole": "3",
        "ParticipantObjectDataLifeCycle": event.kind == "instance.accepted" ? "2" : "8",
      ],
      [
        Self.code("ParticipantObjectIDTypeCode", "110180", "DCM", "Study Instance UID"),
        Self.element("ParticipantObjectName", [:], ["study"]),
      ] + (content ?? []))
  }

  private func patient(_ object: Object) -> String? {
    guard let patient = object.patient, !patient.isEmpty else { return nil }
    return Self.element(
      "ParticipantObjectIdentification",
      [
        "ParticipantObjectID": patient, "ParticipantObjectTypeCode": "1",
        "ParticipantObjectTypeCodeRole": "1",
      ],
      [
        Self.code("ParticipantObjectIDTypeCode", "2", "RFC-3881", "Patient Number"),
        Self.element("ParticipantObjectName", [:], ["patient"]),
      ])
  }

  /// The event itself: its place in the chain, its digest and its content.
  private func record(_ event: EventRow) -> String {
    let details = [("sequence", "\(event.seq)"), ("sha256", event.hash), ("payload", event.payload.text)].map
    {
      Self.element("ParticipantObjectDetail", ["type": $0, "value": Data($1.utf8).base64EncodedString()])
    }
    return Self.element(
      "ParticipantObjectIdentification",
      [
        "ParticipantObjectID": event.subject, "ParticipantObjectTypeCode": "2",
        "ParticipantObjectTypeCodeRole": event.subject.hasPrefix("job:") ? "20" : "26",
      ],
      [
        Self.code("ParticipantObjectIDTypeCode", "event", "99FUSELINE", "Subject of an event of the ledger"),
        Self.element("ParticipantObjectName", [:], [Self.escaped(event.kind)]),
      ] + details)
  }

  // MARK: Codes

  private typealias Coded = (code: String, meaning: String)

  /// Event ID (PS3.16 CID 400), action, and for Application Activity the event type (CID 401).
  private static func category(_ kind: String) -> (String, String, String, Coded?) {
    switch kind {
    case "instance.accepted": ("110107", "Import", "C", nil)
    case "slice.published": ("110103", "DICOM Instances Accessed", "C", nil)
    case "run.began": ("110100", "Application Activity", "E", ("110120", "Application Start"))
    case "run.finished", "run.interrupted":
      ("110100", "Application Activity", "E", ("110121", "Application Stop"))
    default: ("110100", "Application Activity", "E", nil)
    }
  }

  /// 0 success, 4 minor failure, 8 serious failure.
  private static func outcome(_ kind: String) -> String {
    if kind.hasSuffix(".failed") { return "8" }
    return kind.hasSuffix(".rejected") || kind.hasSuffix(".interrupted") ? "4" : "0"
  }

  // MARK: XML

  private static func code(_ name: String, _ code: String, _ system: String, _ meaning: String) -> String {
    element(name, ["csd-code": code, "codeSystemName": system, "originalText": meaning])
  }

  /// An element; `content` is XML already, attributes are plain text.
  private static func element(_ name: String, _ attributes: [String: String], _ content: [String] = [])
    -> String
  {
    let list = attributes.sorted { $0.key < $1.key }.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
    return content.isEmpty ? "<\(name)\(list)/>" : "<\(name)\(list)>\(content.joined())</\(name)>"
  }

  /// Characters that XML 1.0 cannot carry become U+FFFD; line ends become spaces.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n", "\r", "\t": escaped += " "
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension AuditMessage.Object {
  /// What the ledger knows of an event's subject.
  init(_ db: Database, subject: String, redact: Bool) throws {
    let parts = subject.split(separator: ":", maxSplits: 1).map(String.init)
    self.init()
    guard parts.count == 2, let sql = Self.queries[parts[0]],
      let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [parts[1]])
    else { return }
    study = row["study"]
    sopClass = row["class"]
    sop = row["sop"]
    patient = redact ? nil : row["patient"]
  }

  private static let queries = [
    "instance": """
    SELECT st.uid AS study, i.sop_class_uid AS class, i.sop_uid AS sop, p.patient_id AS patient FROM instances i
    JOIN series se ON se.id = i.series_id JOIN studies st ON st.id = se.study_id
    JOIN patients p ON p.id = i.patient_id WHERE i.sop_uid = ?
    """,
    // Every output is a Secondary Capture Image (PS3.4 B.5).
    "output": """
    SELECT st.uid AS study, '1.2.840.10008.5.1.4.1.1.7' AS class, o.sop_uid AS sop, p.patient_id AS patient
    FROM outputs o JOIN slices s ON s.id = o.slice_id JOIN jobs j ON j.id = s.job_id
    JOIN pairs pa ON pa.id = j.pair_id JOIN series f ON f.id = pa.fixed_series_id
    JOIN studies st ON st.id = f.study_id JOIN patients p ON p.id = st.patient_id WHERE o.sop_uid = ?
    """,
    "series": """
    SELECT st.uid AS study, NULL AS class, NULL AS sop, p.patient_id AS patient FROM series se
    JOIN studies st ON st.id = se.study_id JOIN patients p ON p.id = st.patient_id WHERE se.uid = ?
    """,
    "study": """
    SELECT st.uid AS study, NULL AS class, NULL AS sop, p.patient_id AS patient FROM studies st
    JOIN patients p ON p.id = st.patient_id WHERE st.uid = ?
    """,
    "patient":
      "SELECT NULL AS study, NULL AS class, NULL AS sop, patient_id AS patient FROM patients WHERE id = ?",
    "job": """
    SELECT st.uid AS study, NULL AS class, NULL AS sop, p.patient_id AS patient FROM jobs j
    JOIN pairs pa ON pa.id = j.pair_id JOIN series f ON f.id = pa.fixed_series_id
    JOIN studies st ON st.id = f.study_id JOIN patients p ON p.id = st.patient_id WHERE j.id = ?
    """,
  ]
}
