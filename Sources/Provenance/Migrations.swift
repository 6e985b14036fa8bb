// How an older ledger becomes one of today: what each version changed. Carrying it out is Ledger+Migration.
//
// To change the schema, in one commit:
//   1. change schema.sql and raise `PRAGMA user_version` in it;
//   2. raise `Ledger.schemaVersion` to the same number;
//   3. append a migration of that number below, for tables and rows only: views, triggers and indexes are dropped
//      before the first migration and made anew from schema.sql after the last one.
// `ALTER TABLE … ADD COLUMN` is enough for most changes. A changed CHECK or a removed column needs the table made
// anew: CREATE TABLE x_new …; INSERT INTO x_new SELECT …; DROP TABLE x; ALTER TABLE x_new RENAME TO x.
// Foreign keys are off meanwhile and checked before the commit. MigrationTests compares the outcome with schema.sql.
//
// A migration that a released program has run is never edited. The queries of `RecordDigest` never change, else old
// rows would no longer fit the digests their events announced: a new column is not part of them. `events` keeps its
// columns, and `lease` those it had in version 1, by which a migration sees whether a coordinator is at work.

/// One step from the version before.
struct Migration: Sendable {
  /// The version it leads to.
  let version: Int
  /// Statements over tables and rows, run inside a transaction.
  let sql: String
  /// What SQL cannot say, in the tables of today.
  var rows: (@Sendable (Change) throws -> Void)?
}

enum Migrations {
  /// In order, from version 2 on, without a gap.
  static let all: [Migration] = [
    // What needs doing is asked of the ledger: studies know whether they were worked off.
    Migration(
      version: 2,
      sql: """
        ALTER TABLE studies ADD COLUMN arrivals INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE studies ADD COLUMN worked_off TEXT;
        CREATE TABLE marks (name TEXT PRIMARY KEY, time TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """),
    Migration(version: 3, sql: pairs + registrationsAsInputs + totals + releases),
    // Headers that come from now on are kept as what they differ in from the first of their series.
    Migration(
      version: 4,
      sql: """
        CREATE TABLE headers (id INTEGER PRIMARY KEY, series_id INTEGER NOT NULL REFERENCES series (id),
          header_json TEXT NOT NULL CHECK (json_valid(header_json))) STRICT;
        ALTER TABLE instances ADD COLUMN header_id INTEGER REFERENCES headers (id);
        """),
    // Events announce the rows of patients, studies and series too: those that are there as they are now.
    Migration(
      version: 5,
      sql: """
        ALTER TABLE ledger ADD COLUMN salt BLOB CHECK (length(salt) = 32);
        UPDATE ledger SET salt = randomblob(32);
        """, rows: { try $0.announceCatalogue() }),
  ]

  /// A pair is a row of its own, which its jobs refer to.
  private static let pairs = """
    CREATE TABLE pairs (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,
      fixed_series_id INTEGER NOT NULL REFERENCES series (id), moving_series_id INTEGER NOT NULL REFERENCES series (id),
      found TEXT NOT NULL, UNIQUE (fixed_series_id, moving_series_id, kind)) STRICT;
    INSERT INTO pairs (kind, fixed_series_id, moving_series_id, found)
      SELECT kind, fixed_series_id, moving_series_id, min(opened) FROM jobs
      GROUP BY kind, fixed_series_id, moving_series_id ORDER BY min(id);
    CREATE TABLE jobs_new (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, pair_id INTEGER NOT NULL REFERENCES pairs (id),
      inputs_sha256 TEXT NOT NULL, model_id INTEGER REFERENCES models (id),
      settings_id INTEGER NOT NULL REFERENCES settings (id), software_id INTEGER NOT NULL REFERENCES software (id),
      output_series_uid TEXT, run_id INTEGER REFERENCES runs (id),
      state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed', 'rejected', 'superseded')),
      reason TEXT, sentence TEXT, attempts INTEGER NOT NULL DEFAULT 0, retry_at TEXT,
      superseded_by INTEGER REFERENCES jobs (id), planned_slices INTEGER, interpolation TEXT,
      normalization_fixed_json TEXT CHECK (normalization_fixed_json IS NULL OR json_valid(normalization_fixed_json)),
      normalization_moving_json TEXT CHECK (normalization_moving_json IS NULL OR json_valid(normalization_moving_json)),
      registration_json TEXT CHECK (registration_json IS NULL OR json_valid(registration_json)),
      details_json TEXT CHECK (details_json IS NULL OR json_valid(details_json)),
      opened TEXT NOT NULL, started TEXT, finished TEXT, seconds REAL, event INTEGER NOT NULL REFERENCES events (seq),
      CHECK (state NOT IN ('failed', 'rejected') OR reason IS NOT NULL)) STRICT;
    INSERT INTO jobs_new
      SELECT j.id, j.key, p.id, j.inputs_sha256, j.model_id, j.settings_id, j.software_id, j.output_series_uid, j.run_id,
        j.state, j.reason, j.sentence, j.attempts, j.retry_at, j.superseded_by, j.planned_slices, j.interpolation,
        j.normalization_fixed_json, j.normalization_moving_json, j.registration_json, j.details_json, j.opened,
        j.started, j.finished, j.seconds, j.event
      FROM jobs j JOIN pairs p ON p.fixed_series_id = j.fixed_series_id
        AND p.moving_series_id = j.moving_series_id AND p.kind = j.kind;
    DROP TABLE jobs;
    ALTER TABLE jobs_new RENAME TO jobs;

    """

  /// The registration objects a slice rests on are among its inputs.
  private static let registrationsAsInputs = """
    CREATE TABLE slice_inputs_new (
      slice_id INTEGER NOT NULL REFERENCES slices (id),
      role TEXT NOT NULL CHECK (role IN ('fixed', 'moving', 'registration')),
      instance_id INTEGER NOT NULL REFERENCES instances (id), frame INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (slice_id, role, instance_id, frame)) STRICT, WITHOUT ROWID;
    INSERT INTO slice_inputs_new SELECT slice_id, role, instance_id, frame FROM slice_inputs;
    DROP TABLE slice_inputs;
    ALTER TABLE slice_inputs_new RENAME TO slice_inputs;

    """

  /// Sums that triggers keep from now on.
  private static let totals = """
    CREATE TABLE intake_totals (
      run_id INTEGER NOT NULL REFERENCES runs (id), outcome TEXT NOT NULL, files INTEGER NOT NULL,
      PRIMARY KEY (run_id, outcome)) STRICT, WITHOUT ROWID;
    INSERT INTO intake_totals
      SELECT run_id, outcome, count(*) FROM intake WHERE run_id IS NOT NULL GROUP BY run_id, outcome;
    CREATE TABLE job_totals (
      job_id INTEGER PRIMARY KEY REFERENCES jobs (id), slices INTEGER NOT NULL, undeformed INTEGER NOT NULL,
      deformed INTEGER NOT NULL, deformation_sum REAL NOT NULL, deformation_max REAL, first_published TEXT NOT NULL,
      last_published TEXT NOT NULL) STRICT;
    INSERT INTO job_totals
      SELECT job_id, count(*), sum(accepted = 0), count(deformation_mean), total(deformation_mean),
        max(deformation_max), min(published), max(published)
      FROM slices GROUP BY job_id;

    """

  /// Images whose files retention has let go.
  private static let releases = """
    CREATE TABLE releases (instance_id INTEGER PRIMARY KEY REFERENCES instances (id),
      event INTEGER NOT NULL REFERENCES events (seq), removed TEXT) STRICT;

    """
}
