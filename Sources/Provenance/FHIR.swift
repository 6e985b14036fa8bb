// Outputs and events as HL7 FHIR R4 resources: Provenance and AuditEvent. Only the parts we have something to say in.

/// Builds FHIR R4 (4.0.1) resources as JSON values. No resource names a patient.
enum FHIR {
  /// `Provenance` of one output: what it was made of, with what, by which software, when.
  static func provenance(_ lineage: OutputLineage, ledger: String) -> JSONValue {
    let sources = lineage.inputs.map { input in
      let noun = input.role == "registration" ? "object" : "image"
      let frame = input.frame.map { " frame \($0)," } ?? ""
      return entity(dicom(input.sop), display: "\(input.role) \(noun),\(frame) SHA-256 \(input.sha256)")
    }
    let model = lineage.model.map {
      [entity(digest("model", $0.sha256), display: "weights of the model \($0.name)")]
    }
    let settings = entity(digest("settings", lineage.settings.sha256), display: "effective settings")
    let software = lineage.software
    let period: JSONValue = .object([
      "start": .string(lineage.times.started ?? lineage.times.opened),
      "end": .string(lineage.times.published),
    ])
    return .object([
      "resourceType": "Provenance", "id": .string(id("\(ledger) output \(lineage.output.sop)")),
      "target": .array([.object(["identifier": dicom(lineage.output.sop), "display": "fused image"])]),
      "occurredPeriod": period, "recorded": .string(lineage.times.published),
      "activity": concept("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE", "create"),
      "agent": .array([
        .object([
          "type": concept(
            "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "assembler", "Assembler"),
          "who": .object([
            "display": .string("Fuseline \(software.version), \(software.blas), on \(software.host)")
          ]),
        ])
      ]), "entity": .array(sources + (model ?? []) + [settings]),
    ])
  }

  /// `AuditEvent` of one event of the chain; its digest is among the details.
  static func auditEvent(_ event: EventRow, ledger: String) -> JSONValue {
    let (code, display, action) = category(event.kind)
    let parts = event.subject.split(separator: ":", maxSplits: 1).map(String.init)
    let isUID = ["instance", "output", "series", "study"].contains(parts[0]) && parts.count == 2
    let details = [
      ("sequence", String(event.seq)), ("sha256", event.hash), ("payload", event.payload.text),
    ].map { JSONValue.object(["type": .string($0.0), "valueString": .string($0.1)]) }
    return .object([
      "resourceType": "AuditEvent", "id": .string(id("\(ledger) event \(event.seq)")),
      "type": coding("http://dicom.nema.org/resources/ontology/DCM", code, display),
      "subtype": .array([coding("urn:fuseline:event", event.kind, event.kind)]), "action": .string(action),
      "recorded": .string(event.time), "outcome": .string(outcome(event.kind)),
      "agent": .array([
        .object([
          "type": concept("http://dicom.nema.org/resources/ontology/DCM", "110150", "Application"),
          "who": .object(["display": "Fuseline"]), "requestor": false,
        ])
      ]),
      "source": .object([
        "observer": .object(["identifier": uuid(ledger), "display": "Fuseline ledger"]),
        "type": .array([
          coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
        ]),
      ]),
      "entity": .array([
        .object([
          "what": .object([
            "identifier": isUID
              ? dicom(parts[1])
              : .object(["system": "urn:fuseline:subject", "value": .string(event.subject)])
          ]), "detail": .array(details),
        ])
      ]),
    ])
  }

  /// An entry of a `collection` bundle.
  static func entry(_ resource: JSONValue) -> JSONValue {
    guard case .object(let members) = resource, case .string(let id) = members["id"] else {
      preconditionFailure("every resource built here has an id")
    }
    return .object(["fullUrl": .string("urn:uuid:\(id)"), "resource": resource])
  }

  // MARK: Parts

  /// Codes of PS3.16 CID 400 and the R4 action.
  private static func category(_ kind: String) -> (code: String, display: String, action: String) {
    switch kind {
    case "instance.accepted": ("110107", "Import", "C")
    case "slice.published": ("110106", "Export", "C")
    default: ("110100", "Application Activity", "E")
    }
  }

  /// 0 success, 4 minor failure, 8 serious failure.
  private static func outcome(_ kind: String) -> String {
    if kind.hasSuffix(".failed") { return "8" }
    return kind.hasSuffix(".rejected") || kind.hasSuffix(".interrupted") ? "4" : "0"
  }

  private static func entity(_ identifier: JSONValue, display: String) -> JSONValue {
    .object([
      "role": "source", "what": .object(["identifier": identifier, "display": .string(display)]),
    ])
  }

  /// A DICOM UID as FHIR writes it.
  private static func dicom(_ uid: String) -> JSONValue {
    .object(["system": "urn:dicom:uid", "value": .string("urn:oid:\(uid)")])
  }

  private static func uuid(_ uuid: String) -> JSONValue {
    .object(["system": "urn:ietf:rfc:3986", "value": .string("urn:uuid:\(uuid)")])
  }

  private static func digest(_ what: String, _ sha256: String) -> JSONValue {
    .object(["system": .string("urn:fuseline:\(what):sha256"), "value": .string(sha256)])
  }

  private static func coding(_ system: String, _ code: String, _ display: String) -> JSONValue {
    .object(["system": .string(system), "code": .string(code), "display": .string(display)])
  }

  private static func concept(_ system: String, _ code: String, _ display: String) -> JSONValue {
    .object(["coding": .array([coding(system, code, display)])])
  }

  /// The same thing has the same id in every export: an RFC 9562 version 8 UUID out of SHA-256.
  private static func id(_ name: String) -> String {
    var digits = Array(NewJob.key([name]).prefix(32))
    digits[12] = "8"
    digits[16] = ["8", "9", "a", "b"][(digits[16].hexDigitValue ?? 0) & 3]
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return groups.map { String(digits[$0]) }.joined(separator: "-")
  }
}
