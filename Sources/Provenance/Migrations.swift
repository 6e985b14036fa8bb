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
        """)
  ]
}
