// What we have: lookups by UID and digest, and the catalogue of studies, series and instances.

internal import GRDB

/// May a series be used?
public enum SeriesState: String, Codable, Hashable, Sendable, CaseIterable {
  case accepted, skipped, rejected
}

/// A study as the catalogue knows it.
public struct StoredStudy: Codable, Hashable, Sendable {
  public var uid: String
  /// Row id in `patients` of the first instance seen.
  public var patient: Int64
  public var date: String?
  public var time: String?
  public var description: String?
  /// When its latest instance was taken in.
  public var lastArrival: String
}

/// A series with its instances, by row id.
public struct StoredSeries: Codable, Hashable, Sendable {
  public var uid: String
  public var studyInstanceUID: String
  public var modality: String
  public var number: Int?
  public var description: String?
  public var frameOfReferenceUID: String?
  public var state: SeriesState
  public var reason: String?
  public var sentence: String?
  public var lastArrival: String
  public var instances: [StoredInstance]
}

extension Ledger {
  /// The image of this SOP Instance UID in the store.
  public func instance(sopInstanceUID: String) throws -> StoredInstance? {
    try read { try Self.instances($0, where: "i.sop_uid = ?", [sopInstanceUID]).first }
  }

  /// The digest under which an image is in the store; nil where it is not.
  public func digest(sopInstanceUID: String) throws -> String? {
    try read {
      try String.fetchOne(
        $0.cachedStatement(sql: "SELECT sha256 FROM instances WHERE sop_uid = ?"), arguments: [sopInstanceUID]
      )
    }
  }

  /// The images in the store with these bytes; more than one only where SOP Instance UIDs differ in name alone.
  public func instances(sha256: String) throws -> [StoredInstance] {
    try read { try Self.instances($0, where: "i.sha256 = ?", [sha256]) }
  }

  /// All images, ordered by study, series and arrival.
  public func instances(study: String? = nil, series: String? = nil) throws -> [StoredInstance] {
    try read {
      try Self.instances(
        $0, where: "(:study IS NULL OR st.uid = :study) AND (:series IS NULL OR se.uid = :series)",
        ["study": study, "series": series])
    }
  }

  /// The latest record of a file with these bytes at the door, whatever became of it: a file that still lies in
  /// the drop folder need not be judged and recorded again.
  public func lastIntake(sha256: String) throws -> InputRow? {
    try read {
      try Fetched<InputRow>.one(
        $0,
        sql: """
          SELECT * FROM v_inputs WHERE intake = (SELECT max(id) FROM intake WHERE sha256 = ?)
          """, arguments: [sha256])
    }
  }

  /// All studies, the one that waited longest first.
  public func studies() throws -> [StoredStudy] {
    try read {
      try Fetched<StoredStudy>.all(
        $0,
        sql: """
          SELECT st.uid, st.patient_id AS patient, st.date, st.time, st.description,
            max(se.last_arrival) AS lastArrival
          FROM studies st JOIN series se ON se.study_id = st.id
          GROUP BY st.id ORDER BY lastArrival, st.id
          """)
    }
  }

  /// The series of one study with their instances and headers, ordered by first arrival.
  public func series(study: String) throws -> [StoredSeries] {
    try read { db in
      let members = Dictionary(
        grouping: try Self.instances(db, where: "st.uid = ?", [study]), by: \.seriesInstanceUID)
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT se.* FROM series se JOIN studies st ON st.id = se.study_id WHERE st.uid = ? ORDER BY se.id
          """, arguments: [study])
      return try rows.map { row in
        let state: String = row["state"]
        guard let state = SeriesState(rawValue: state) else {
          throw LedgerError(.damaged, subject: path, detail: "a series has the unknown state \(state)")
        }
        return StoredSeries(
          uid: row["uid"], studyInstanceUID: study, modality: row["modality"], number: row["number"],
          description: row["description"], frameOfReferenceUID: row["frame_of_reference"], state: state,
          reason: row["reason"], sentence: row["sentence"], lastArrival: row["last_arrival"],
          instances: members[row["uid"]] ?? [])
      }
    }
  }

  /// The identifying attributes under a row id of `patients`.
  public func patient(_ id: Int64) throws -> PatientRecord? {
    try read {
      try Fetched<PatientRecord>.one(
        $0,
        sql: """
          SELECT patient_id AS patientID, issuer, name, birth_date AS birthDate, sex FROM patients WHERE id = ?
          """, arguments: [id])
    }
  }

  static func instances(
    _ db: Database, where condition: String, _ arguments: StatementArguments
  ) throws -> [StoredInstance] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT i.id, i.sop_uid, i.sop_class_uid, i.transfer_syntax, se.uid, st.uid, se.modality, i.number,
          i.patient_id, i.path, i.sha256, i.size, i.received, v.header
        FROM instances i JOIN v_headers v ON v.instance_id = i.id JOIN series se ON se.id = i.series_id
        JOIN studies st ON st.id = se.study_id
        WHERE \(condition) ORDER BY st.id, se.id, i.id
        """)
    return try Row.fetchAll(statement, arguments: arguments).map { row in
      StoredInstance(
        id: row[0], sopInstanceUID: row[1], sopClassUID: row[2], transferSyntaxUID: row[3],
        seriesInstanceUID: row[4], studyInstanceUID: row[5], modality: row[6], number: row[7],
        patient: row[8], path: row[9], sha256: row[10], size: row[11], received: row[12],
        header: JSONDocument(text: row[13]))
    }
  }
}
