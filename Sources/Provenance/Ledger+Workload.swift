// Which studies need looking at, asked of the ledger so that nobody has to read all of a large store to know.

public import Foundation
internal import GRDB

/// A study whose pairs have to be worked off.
public struct DueStudy: Codable, Hashable, Sendable {
  /// Study Instance UID.
  public var uid: String
  /// Grows with every image that is taken in.
  public var arrivals: Int64
  /// When its latest image was taken in.
  public var lastArrival: String

  public init(uid: String, arrivals: Int64, lastArrival: String) {
    self.uid = uid
    self.arrivals = arrivals
    self.lastArrival = lastArrival
  }
}

extension Ledger {
  /// Studies worked off under another key – other rules, models or version – are to be looked at again.
  public func reopenStudies(otherThan key: String) throws {
    try write {
      try $0.run(
        "UPDATE studies SET worked_off = NULL WHERE worked_off IS NOT NULL AND worked_off <> ?", [key])
    }
  }

  /// Studies with images that came since they were worked off, with jobs that were interrupted, or with jobs to be
  /// tried again. The one that waited longest comes first.
  public func dueStudies(retry: RetryTime) throws -> [DueStudy] {
    try read {
      try Fetched<DueStudy>.all(
        $0,
        sql: """
          SELECT st.uid, st.arrivals, max(se.last_arrival) AS lastArrival
          FROM (SELECT id FROM studies WHERE worked_off IS NULL
            UNION SELECT f.study_id FROM jobs j JOIN pairs pa ON pa.id = j.pair_id
              JOIN series f ON f.id = pa.fixed_series_id WHERE j.state = 'pending'
            UNION SELECT f.study_id FROM jobs j JOIN pairs pa ON pa.id = j.pair_id
              JOIN series f ON f.id = pa.fixed_series_id WHERE j.retry_at <= ? OR j.retry_at > ?) due
          JOIN studies st ON st.id = due.id JOIN series se ON se.study_id = st.id
          GROUP BY st.id ORDER BY lastArrival, st.id
          """, arguments: [retry.before, retry.beyond])
    }
  }

  /// All studies with images of the patients of one study, by Patient ID and issuer without their padding.
  public func studiesOfSamePatient(as study: String) throws -> [DueStudy] {
    try read {
      try Fetched<DueStudy>.all(
        $0,
        sql: """
          WITH cleaned AS (
            SELECT id, trim(coalesce(patient_id, ''), :padding) AS patient, trim(coalesce(issuer, ''), :padding) AS issuer
            FROM patients),
          mine AS (
            SELECT DISTINCT c.patient, c.issuer FROM studies st JOIN series se ON se.study_id = st.id
            JOIN instances i ON i.series_id = se.id JOIN cleaned c ON c.id = i.patient_id WHERE st.uid = :study)
          SELECT st.uid, st.arrivals, max(se.last_arrival) AS lastArrival FROM cleaned c
          JOIN mine m ON m.patient = c.patient AND m.issuer = c.issuer
          JOIN instances i ON i.patient_id = c.id JOIN series se ON se.id = i.series_id
          JOIN studies st ON st.id = se.study_id GROUP BY st.id ORDER BY st.id
          """, arguments: ["study": study, "padding": " ^\t\n\r\0"])
    }
  }

  /// The images of some studies, ordered by study, series and arrival.
  public func instances(studies: [String]) throws -> [StoredInstance] {
    try read { db in try studies.flatMap { try Self.instances(db, where: "st.uid = ?", [$0]) } }
  }

  /// The state of each series of a study, by UID, without its images.
  public func seriesStates(study: String) throws -> [(uid: String, state: SeriesState, reason: String?)] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT se.uid, se.state, se.reason FROM series se JOIN studies st ON st.id = se.study_id
          WHERE st.uid = ? ORDER BY se.id
          """, arguments: [study]
      ).map { row in (row[0], SeriesState(rawValue: row[1]) ?? .accepted, row[2]) }
    }
  }

  /// The pairs of a study were worked off under `key`; not so if an image came meanwhile, or a job still waits.
  public func markWorkedOff(_ study: DueStudy, key: String) throws {
    try write {
      try $0.run(
        """
        UPDATE studies SET worked_off = ? WHERE uid = ? AND arrivals = ?
          AND NOT EXISTS (SELECT 1 FROM series f JOIN pairs pa ON pa.fixed_series_id = f.id
            JOIN jobs j ON j.pair_id = pa.id
            WHERE f.study_id = studies.id AND j.state IN ('pending', 'running'))
        """, [key, study.uid, study.arrivals])
    }
  }

  /// Jobs of a study that wait or are to be tried again although the rules no longer ask for them.
  ///
  /// - Parameter wanted: the jobs that are asked for.
  public func supersedeUnwanted(study: String, wanted: Set<Int64>) throws {
    let waiting = try read {
      try Self.jobs(
        $0, where: "st.uid = ? AND (j.state = 'pending' OR j.retry_at IS NOT NULL) ORDER BY j.id", [study])
    }
    for job in waiting where !wanted.contains(job.id) {
      try supersedeJob(job.id, by: nil, reason: "not_asked_for")
    }
  }

  /// Jobs that failed for good, oldest first.
  public func deadLetters() throws -> [Int64] {
    try read {
      try Int64.fetchAll(
        $0, sql: "SELECT id FROM jobs WHERE state = 'failed' AND retry_at IS NULL ORDER BY id")
    }
  }

  /// Puts a failed job back into the queue with all its attempts.
  /// - Throws: `LedgerError.Reason.notFound`; `contradiction` for a job that has not failed.
  public func retry(_ job: Int64) throws {
    try transaction {
      let state = try jobState(job).state
      guard state == .failed else {
        throw LedgerError(
          .contradiction, subject: "job:\(job)",
          detail: "it is \(state.rawValue), only a failed job can be tried again")
      }
      try requeueJob(job)
    }
  }

  /// Whether something named was last done longer than `seconds` ago, or never; if so, it is marked as done now.
  public func markIfDue(_ name: String, every seconds: Double) throws -> Bool {
    try write { change in
      let last: String? = try change.value("SELECT time FROM marks WHERE name = ?", [name])
      let age = last.flatMap(Timestamp.date).map { change.date.timeIntervalSince($0) }
      // A mark in the future was made by a clock that has been put back: it counts for nothing.
      if let age, (0..<seconds).contains(age) { return false }
      try change.run("INSERT OR REPLACE INTO marks (name, time) VALUES (?, ?)", [name, change.now])
      return true
    }
  }

  /// When something named was last done.
  public func mark(_ name: String) throws -> Date? {
    try read {
      try String.fetchOne($0, sql: "SELECT time FROM marks WHERE name = ?", arguments: [name])
    }.flatMap(Timestamp.date)
  }

  public func setMark(_ name: String, to date: Date) throws {
    try write {
      try $0.run("INSERT OR REPLACE INTO marks (name, time) VALUES (?, ?)", [name, Timestamp.text(date)])
    }
  }
}

extension Change {
  func reopenStudy(_ study: Int64) throws {
    try run("UPDATE studies SET worked_off = NULL, arrivals = arrivals + 1 WHERE id = ?", [study])
  }

  func reopenStudy(ofSeries series: Int64) throws {
    try run(
      """
      UPDATE studies SET worked_off = NULL, arrivals = arrivals + 1
      WHERE id = (SELECT study_id FROM series WHERE id = ?)
      """, [series])
  }

  func reopenStudy(ofJob job: Int64) throws {
    try run(
      """
      UPDATE studies SET worked_off = NULL, arrivals = arrivals + 1
      WHERE id = (SELECT f.study_id FROM jobs j JOIN pairs pa ON pa.id = j.pair_id
        JOIN series f ON f.id = pa.fixed_series_id WHERE j.id = ?)
      """, [job])
  }
}
