// Stored images that are let go once all that was made of them is proven: which they are, and the record of it.

public import Foundation
internal import GRDB

/// A series whose images may go, with all that has to be proven first.
public struct ReleasableSeries: Hashable, Sendable {
  /// A file that must still have these bytes.
  public struct File: Hashable, Sendable {
    public let file: RecordedFile
    public let sha256: String
    public let size: Int64
  }
  /// Series Instance UID.
  public let uid: String
  public let study: String
  /// Images of the series in the store.
  public let images: [File]
  /// Everything that was made of them, by any job.
  public let outputs: [File]
}

extension Ledger {
  /// Series that came in, and whose last job was done, before a moment, and of which nothing is left to be done.
  public func releasableSeries(before moment: Date) throws -> [ReleasableSeries] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: Self.releasable + " ORDER BY se.id",
        arguments: ["before": Timestamp.text(moment), "series": nil])
      return try rows.map { row in
        let id: Int64 = row["id"]
        return ReleasableSeries(
          uid: row["uid"], study: row["study"], images: try Self.images(db, series: id),
          outputs: try Self.outputs(db, series: id))
      }
    }
  }

  /// A series is releasable when each of its jobs is done, with every slice traced to its inputs, or superseded; when at
  /// least one is done; when its study waits for nothing; and when it has images that are still there.
  private static let releasable = """
    WITH involved AS (
      SELECT fixed AS uid, job, state, finished, outputs, slices FROM v_jobs UNION ALL
      SELECT moving, job, state, finished, outputs, slices FROM v_jobs),
    untraced AS (
      SELECT s.job_id AS job FROM slices s LEFT JOIN outputs o ON o.slice_id = s.id
      LEFT JOIN slice_inputs x ON x.slice_id = s.id GROUP BY s.id
      HAVING o.id IS NULL OR sum(x.role IS 'fixed') <> 1 OR (sum(x.role IS 'moving') = 0 AND coalesce(s.inside, 1) > 0)),
    proven AS (
      SELECT uid FROM involved GROUP BY uid
      HAVING sum(state = 'done') > 0 AND NOT max(state <> 'superseded' AND (
        state <> 'done' OR finished IS NULL OR finished >= :before OR outputs IS NOT slices
        OR job IN (SELECT job FROM untraced))))
    SELECT se.id, se.uid, st.uid AS study FROM proven
    JOIN series se ON se.uid = proven.uid JOIN studies st ON st.id = se.study_id
    WHERE (:series IS NULL OR se.uid = :series) AND st.worked_off IS NOT NULL AND se.last_arrival < :before
      AND EXISTS (SELECT 1 FROM instances i WHERE i.series_id = se.id
        AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.instance_id = i.id))
    """

  private static func images(_ db: Database, series: Int64) throws -> [ReleasableSeries.File] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT path, sha256, size FROM instances i WHERE series_id = ?
          AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.instance_id = i.id) ORDER BY id
        """, arguments: [series]
    ).map { .init(file: .input(path: $0[0]), sha256: $0[1], size: $0[2]) }
  }

  private static func outputs(_ db: Database, series: Int64) throws -> [ReleasableSeries.File] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT DISTINCT o.path, o.sha256, o.size FROM instances i JOIN slice_inputs x ON x.instance_id = i.id
        JOIN outputs o ON o.slice_id = x.slice_id WHERE i.series_id = ? ORDER BY o.path
        """, arguments: [series]
    ).map { .init(file: .output(path: $0[0]), sha256: $0[1], size: $0[2]) }
  }

  /// Records that the images of a series are about to be removed; the files go after this, never before.
  ///
  /// - Returns: false where the series is not releasable any more: something came or changed meanwhile.
  public func release(_ series: ReleasableSeries, before moment: Date, run: Int64?) throws -> Bool {
    try write { change in
      let still = try change.row(
        Self.releasable, ["before": Timestamp.text(moment), "series": series.uid])
      guard let id: Int64 = still?["id"], try Self.images(change.db, series: id) == series.images,
        try Self.outputs(change.db, series: id) == series.outputs
      else { return false }
      let instances = try Row.fetchAll(
        change.db,
        sql: """
          SELECT i.id, i.sop_uid, i.sha256 FROM instances i WHERE i.series_id = ?
            AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.instance_id = i.id) ORDER BY i.id
          """, arguments: [id])
      for instance in instances {
        let event = try change.append(
          "instance.released", subject: "instance:\(instance["sop_uid"] as String)",
          [
            "run": JSONValue(run), "sha256": .string(instance["sha256"]),
            "outputs": .integer(Int64(series.outputs.count)),
          ])
        try change.run(
          "INSERT INTO releases (instance_id, event) VALUES (?, ?)", [instance["id"] as Int64, event])
      }
      return true
    }
  }

  /// Images whose files may still be there although they are released, by row id, with their paths in the store.
  public func openReleases() throws -> [(instance: Int64, path: String)] {
    try read {
      try Row.fetchAll(
        $0,
        sql: """
          SELECT r.instance_id, i.path FROM releases r JOIN instances i ON i.id = r.instance_id
          WHERE r.removed IS NULL ORDER BY r.instance_id
          """
      ).map { ($0[0], $0[1]) }
    }
  }

  /// The files of these released images are gone, durably.
  public func markRemoved(_ instances: [Int64]) throws {
    try write { change in
      for instance in instances {
        try change.run("UPDATE releases SET removed = ? WHERE instance_id = ?", [change.now, instance])
      }
    }
  }

  /// Series of some studies of which images were let go: what is left of them is not the whole series.
  public func releasedSeries(studies: [String]) throws -> Set<String> {
    try read { db in
      var found: Set<String> = []
      for study in studies {
        found.formUnion(
          try String.fetchAll(
            db,
            sql: """
              SELECT DISTINCT se.uid FROM studies st JOIN series se ON se.study_id = st.id
              JOIN instances i ON i.series_id = se.id JOIN releases r ON r.instance_id = i.id WHERE st.uid = ?
              """, arguments: [study]))
      }
      return found
    }
  }
}

extension Change {
  /// The image was let go and has come again: its file is back in the store.
  func restore(_ instance: Int64) throws {
    let released = try row(
      "SELECT i.sop_uid FROM releases r JOIN instances i ON i.id = r.instance_id WHERE r.instance_id = ?",
      [instance])
    guard let released else { return }
    try append("instance.restored", subject: "instance:\(released["sop_uid"] as String)", [:])
    try run("DELETE FROM releases WHERE instance_id = ?", [instance])
    try reopenStudy(ofSeries: try value("SELECT series_id FROM instances WHERE id = ?", [instance]) ?? 0)
  }
}
