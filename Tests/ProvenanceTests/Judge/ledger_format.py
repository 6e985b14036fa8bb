"""What docs/ledger.md says about bytes: canonical JSON, digests of rows; and how its tables are filled."""

import hashlib
import json
import sqlite3
import struct


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def real(value):
    return f"r{struct.unpack('>Q', struct.pack('>d', value))[0]:x};"


def text(value):
    return f"t{len(value.encode())}:{value};"


SALT = hashlib.sha256(b"salt of a synthetic ledger").digest()


def salted(*values):
    """The digest of a row that starts with the ledger's salt; None, numbers and texts."""
    written = "".join(
        "n;" if value is None else f"i{value};" if isinstance(value, int) else text(value) for value in values
    )
    return hashlib.sha256(SALT + written.encode() + b"\n").hexdigest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


TOTALS = (
    "INSERT INTO intake_totals SELECT run_id, outcome, count(*) FROM intake GROUP BY run_id, outcome",
    "INSERT INTO job_totals SELECT job_id, count(*), sum(accepted = 0), count(deformation_mean), "
    "total(deformation_mean), max(deformation_max), min(published), max(published) FROM slices GROUP BY job_id",
)


class Table:
    """Rows on their way into a table."""

    def __init__(self, database, name, columns):
        self.database, self.rows = database, []
        marks = ", ".join("?" * len(columns.split(",")))
        self.sql = f"INSERT INTO {name} ({columns}) VALUES ({marks})"

    def flush(self):
        self.database.executemany(self.sql, self.rows)
        self.rows.clear()


def prepare(path, schema):
    """The tables alone; returns the statements for indexes, triggers and views, which come last."""
    with sqlite3.connect(":memory:") as model:
        model.executescript(schema)
        objects = model.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'trigger', rowid"
        ).fetchall()
        pragmas = [f"PRAGMA {name} = {model.execute(f'PRAGMA {name}').fetchone()[0]}"
                   for name in ("application_id", "user_version")]
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = FILE"):
        database.execute(f"PRAGMA {pragma}")
    for statement in pragmas + [sql for kind, _, sql in objects if kind == "table"]:
        database.execute(statement)
    return database, [sql for kind, _, sql in objects if kind != "table"]
