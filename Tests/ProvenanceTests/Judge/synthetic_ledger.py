"""A ledger of any size, written from docs/ledger.md alone: chain and digests are computed here, not by the program.

    synthetic_ledger.py SCHEMA LEDGER [--slices N] [--events N] [--per-job N]

`audit verify` must accept what this writes. Everything follows from the arguments: no clock, no chance.
"""

import argparse
import hashlib
import json
import sqlite3
import struct
import sys
import time
from datetime import datetime, timedelta, timezone

LEDGER = "11111111-2222-4333-8444-555555555555"
LAST = datetime(2026, 1, 31, 6, 0, tzinfo=timezone.utc)
"""When the last event happened; the first one five years before."""
SPAN = timedelta(days=5 * 365)
ROOT = "1.3.12.2.1107.5.2.19.45152.30000021"
PAIR_OF_MODELS_EVERY = 20
"""Every so many pairs was fused a second time, with another model."""
CONFLICT_EVERY = 250
"""Every so many patients came under two birth dates."""
REFUSALS = {
    "truncated": "the file ends early, send it again",
    "uid_conflict": "another file with this SOP Instance UID and other content is in the store",
    "no_pixels": "the file has no pixels, export the images themselves",
}


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def real(value):
    return f"r{struct.unpack('>Q', struct.pack('>d', value))[0]:x};"


def text(value):
    return f"t{len(value.encode())}:{value};"


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


class Filler:
    TABLES = {
        "events": "seq, time, kind, subject, payload, prev_hash, hash",
        "patients": "id, patient_id, name, birth_date, sex",
        "studies": "id, uid, patient_id, date, time, description, arrivals, worked_off",
        "series": "id, uid, study_id, modality, number, description, frame_of_reference, last_arrival",
        "instances": "id, sop_uid, sop_class_uid, transfer_syntax, series_id, patient_id, number, path, "
        "original_path, sha256, size, header_json, run_id, received, event",
        "intake": "id, run_id, time, outcome, reason, sentence, original_path, sha256, size, sop_uid, series_uid, "
        "study_uid, modality, quarantine_path, instance_id, event",
        "pairs": "id, kind, fixed_series_id, moving_series_id, found",
        "jobs": "id, key, pair_id, inputs_sha256, model_id, settings_id, software_id, output_series_uid, run_id, "
        "state, reason, sentence, attempts, superseded_by, planned_slices, interpolation, normalization_fixed_json, "
        "normalization_moving_json, registration_json, details_json, opened, started, finished, seconds, event",
        "attempts": "id, job_id, run_id, number, worker, started, finished, outcome, reason, sentence",
        "slices": "id, job_id, attempt_id, idx, x, y, z, accepted, reason, deformation_mean, deformation_max, "
        "deformation_mean_px, deformation_max_px, folding, similarity_measure, similarity_before, similarity_after, "
        "inside, seconds, timings_json, published, event",
        "slice_inputs": "slice_id, role, instance_id, frame",
        "outputs": "slice_id, sop_uid, path, sha256, size",
        "runs": "id, command, state, started, finished, settings_id, software_id, event",
    }

    def __init__(self, database, slices, events, per_job, header):
        self.database, self.total = database, max(events, 1)
        self.per_job, self.wanted = per_job, slices
        self.seq, self.previous = 0, bytes(32)
        self.tables = {name: Table(database, name, columns) for name, columns in self.TABLES.items()}
        self.slices = self.instances = self.intakes = self.jobs = self.series = self.runs = 0
        self.now = ""
        self.tick()
        self.header = canonical({"note": "x" * header})
        self.begin()

    def tick(self):
        moment = LAST - SPAN + SPAN * min(1, self.seq / self.total)
        self.now = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def event(self, kind, subject, payload):
        """Appends one event; all its fields are ASCII, so that characters are bytes."""
        self.seq += 1
        number, now = str(self.seq), self.now
        data = (
            f"fuseline-event-1\n{len(number)}:{number},{len(now)}:{now},{len(kind)}:{kind},"
            f"{len(subject)}:{subject},{len(payload)}:{payload},"
        ).encode() + self.previous
        digest = hashlib.sha256(data).digest()
        self.tables["events"].rows.append((self.seq, now, kind, subject, payload, self.previous, digest))
        self.previous = digest
        return self.seq

    def flush(self):
        for table in self.tables.values():
            if table.rows:
                table.flush()

    def begin(self):
        add = self.database.execute
        add("INSERT INTO ledger VALUES (1, ?, ?)", (LEDGER, self.now))
        self.event("ledger.created", f"ledger:{LEDGER}", '{"schema":0}')
        self.models = [("ct-mr", sha("model")), ("ct-mr-next", sha("the next model"))]
        for number, (name, digest) in enumerate(self.models, 1):
            add("INSERT INTO models VALUES (?, ?, ?, ?, 1000000, ?)", (number, name, digest, name, self.now))
        self.settings = "grid:\n  side: 256\n"
        add("INSERT INTO settings VALUES (1, ?, ?, ?)", (sha(self.settings), self.settings, self.now))
        add("INSERT INTO software VALUES (1, '0.1.0', 'none', 'node1', 'avx512', ?)", (self.now,))

    # One run of some pairs and of files that come again

    def run(self, pairs, others):
        self.runs += 1
        self.tick()
        began = self.now
        self.event("run.began", f"run:{self.runs}", '{"command":"run"}')
        for index in range(pairs):
            if self.slices < self.wanted:
                self.pair()
            self.more(others * (index + 1) // pairs - others * index // pairs)
        event = self.event("run.finished", f"run:{self.runs}", '{"outcome":"done"}')
        self.tables["runs"].rows.append((self.runs, "run", "done", began, self.now, 1, 1, event))
        self.flush()

    def more(self, count):
        """Files that are in the store already, are not for us or are refused."""
        intake, refusals = self.tables["intake"].rows, list(REFUSALS.items())
        run = self.runs
        for index in range(count):
            if index % 1000 == 0:
                self.tick()
            self.intakes += 1
            number = self.intakes
            digest = sha(f"file {number}")
            kept = 1 + number * 7919 % self.instances
            if number % 16 == 0:
                outcome, reason, sentence, kept = "skipped", "not_an_image", "a report is not fused", None
            elif number % 331 == 0:
                outcome, kept = "rejected", None
                reason, sentence = refusals[number % len(refusals)]
            else:
                outcome, reason, sentence = "duplicate", None, None
            sop = f"{ROOT}.9.{number}"
            why = f'"reason":"{reason}",' if reason else ""
            event = self.event(
                f"file.{outcome}", f"instance:{sop}", f'{{{why}"run":{run},"sha256":"{digest}"}}'
            )
            intake.append(
                (number, run, self.now, outcome, reason, sentence, f"in/{number}", digest, 130000, sop, None, None,
                 "MR", None, kept, event)
            )

    # One study of one patient: as many fixed as moving images

    def pair(self):
        self.tick()
        study = self.tables["studies"].rows
        number = self.series // 2 + 1
        uid = f"{ROOT}.{number}"
        patient = 2 * number - 1
        self.tables["patients"].rows.append((patient, f"P{number}", "Invented^Person", "19500101", "O"))
        if number % CONFLICT_EVERY == 0:
            self.tables["patients"].rows.append((patient + 1, f"P{number}", "Invented^Person", "19600101", "O"))
        study.append((number, uid, patient, "20260130", "231500", "Head", 2 * self.per_job, sha("rules")))
        series = [self.one_series(number, uid, patient, *kind) for kind in [(1, "MR"), (2, "CT")]]
        self.tables["pairs"].rows.append((number, "CT-MR", self.series - 1, self.series, self.now))
        again = number % PAIR_OF_MODELS_EVERY == 0
        self.job(number, uid, series, 1, superseded=again)
        if again:
            self.job(number, uid, series, 2)

    def one_series(self, study, study_uid, patient, number, modality):
        self.series += 1
        uid = f"{study_uid}.{number}"
        self.tables["series"].rows.append(
            (self.series, uid, study, modality, number, "invented", f"{study_uid}.9", self.now)
        )
        instances, intake = self.tables["instances"].rows, self.tables["intake"].rows
        members, run, now, kind = [], self.runs, self.now, f"1.2.840.10008.5.1.4.1.1.{4 if number == 1 else 2}"
        for index in range(self.per_job):
            self.instances += 1
            self.intakes += 1
            sop = f"{uid}.{index}"
            digest = sha(sop)
            event = self.event(
                "instance.accepted", f"instance:{sop}",
                f'{{"run":{run},"series":"{uid}","sha256":"{digest}","size":131072}}',
            )
            instances.append(
                (self.instances, sop, kind, "1.2.840.10008.1.2.1", self.series, patient, index,
                 f"{study_uid}/{uid}/{sop}.dcm", f"in/{sop}", digest, 131072, self.header, run, now, event)
            )
            intake.append(
                (self.intakes, run, now, "accepted", None, None, f"in/{sop}", digest, 131072, sop, None, None, None,
                 None, self.instances, event)
            )
            members.append((self.instances, sop, digest))
        return uid, members

    # One job, done; some fail or are refused before they begin

    def job(self, pair, study, series, model, superseded=False):
        self.jobs += 1
        job, run, (fixed, _), (moving, _) = self.jobs, self.runs, *series
        key, inputs, output = sha(f"key {job}"), sha(f"inputs {job}"), f"2.25.{int(sha(f'series {job}')[:32], 16)}"
        opened = self.now
        self.event(
            "job.opened", f"job:{job}",
            canonical({"fixed": fixed, "key": key, "kind": "CT-MR", "moving": moving, "run": run, "series": output}),
        )
        name, model_sha = self.models[model - 1]
        normalization = '{"lower":0,"method":"percentiles","unit":"arbitrary","upper":1630}'
        window = '{"lower":0,"method":"window","unit":"HU","upper":80}'
        registration, details = '{"kind":"same-frame"}', '{"columns":256,"pixel_mm":0.9,"rows":256}'
        planned, reason, sentence, attempts = self.per_job, None, None, 1
        if job % 97 == 0:
            event, state = self.refuse(job), "rejected"
            reason, sentence, attempts = "gap_in_series", "images are missing in the middle, send the series again", 0
        else:
            self.event("attempt.began", f"job:{job}", f'{{"attempt":1,"from":"pending","run":{run}}}')
            self.event("job.prepared", f"job:{job}", f'{{"slices":{planned}}}')
            for index in range(planned):
                self.slice(job, study, output, series, index)
            if job % 53 == 0:
                event, state = self.event("job.failed", f"job:{job}", '{"from":"running","reason":"timeout"}'), "failed"
                reason, sentence = "timeout", "not done after 600 s, the worker was killed"
            else:
                record = sha(
                    f"i{job};" + text(key) + text("CT-MR") + text(fixed) + text(moving) + text(inputs)
                    + text(model_sha) + text(sha(self.settings)) + text(self.settings) + text("0.1.0") + text("none")
                    + text("node1") + text("avx512") + text(output) + f"i{planned};" + text("trilinear")
                    + text(normalization) + text(window) + text(registration) + text(details) + "\n"
                )
                event, state = self.event(
                    "job.done", f"job:{job}", f'{{"from":"running","outputs":{planned},"record":"{record}"}}'
                ), "done"
            self.tables["attempts"].rows.append(
                (job, job, run, 1, "node1", opened, self.now, state, reason, sentence)
            )
        if superseded and state == "done":
            state, reason = "superseded", "other_inputs_model_or_settings"
            event = self.event(
                "job.superseded", f"job:{job}", canonical({"by": job + 1, "from": "done", "reason": reason})
            )
        self.tables["jobs"].rows.append(
            (job, key, pair, inputs, model, 1, 1, output, run, state, reason, sentence, attempts,
             job + 1 if state == "superseded" else None, planned, "trilinear", normalization, window, registration,
             details, opened, opened if attempts else None, self.now, 90.5, event)
        )

    def refuse(self, job):
        return self.event("job.rejected", f"job:{job}", '{"from":"pending","reason":"gap_in_series"}')

    MEASURE = "mutual information, bits"
    TIMINGS = '{"compose":0.01,"judge":0.02,"network":0.7,"resample":0.05,"write":0.004}'
    PLACE = real(-120.5) + real(-119.25)
    TAIL = (
        real(0.5) + real(2.25) + real(0.75) + real(2.5) + real(0.0) + text(MEASURE) + real(0.5) + real(0.625)
        + real(1.0) + real(0.83) + text(TIMINGS)
    )

    def slice(self, job, study, output, series, index):
        self.slices += 1
        (_, fixed), (_, moving) = series
        used = [moving[index], moving[(index + 1) % len(moving)]]
        accepted = index % 25 != 0
        reason = None if accepted else "folds"
        digest = sha(f"output {job} {index}")
        sop = f"2.25.{int(digest[:32], 16)}"
        path, size, now, z = f"{study}/{output}/{sop}.dcm", 199000 + index, self.now, index * 3.0
        inputs = "".join(
            f"{text('moving')}t{len(s)}:{s};t64:{d};i0;\n" for _, s, d in sorted(used, key=lambda member: member[1])
        )
        record = hashlib.sha256(
            (
                f"i{job};i{index};{self.PLACE}{real(z)}i{int(accepted)};{text(reason) if reason else 'n;'}{self.TAIL}"
                f"t{len(now)}:{now};t{len(sop)}:{sop};t{len(path)}:{path};t64:{digest};i{size};\n"
                f"t5:fixed;t{len(fixed[index][1])}:{fixed[index][1]};t64:{fixed[index][2]};i0;\n{inputs}"
            ).encode()
        ).hexdigest()
        event = self.event(
            "slice.published", f"output:{sop}",
            f'{{"accepted":{"true" if accepted else "false"},"job":{job},"record":"{record}",'
            f'"sha256":"{digest}","slice":{index}}}',
        )
        self.tables["slices"].rows.append(
            (self.slices, job, job, index, -120.5, -119.25, z, int(accepted), reason, 0.5, 2.25, 0.75, 2.5, 0.0,
             self.MEASURE, 0.5, 0.625, 1.0, 0.83, self.TIMINGS, now, event)
        )
        self.tables["slice_inputs"].rows.append((self.slices, "fixed", fixed[index][0], 0))
        self.tables["slice_inputs"].rows.extend((self.slices, "moving", row, 0) for row, _, _ in used)
        self.tables["outputs"].rows.append((self.slices, sop, path, digest, size))


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


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("schema")
    parser.add_argument("ledger")
    parser.add_argument("--slices", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--per-job", type=int, default=100)
    parser.add_argument("--header", type=int, default=1850, help="bytes of an image's header; real ones have 1,850")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with open(options.schema, encoding="utf-8") as schema:
        database, rest = prepare(options.ledger, schema.read())
    database.execute("BEGIN")
    filler = Filler(database, options.slices, options.events, options.per_job, options.header)
    pairs = max(1, options.slices // options.per_job)
    runs = max(1, pairs // 50)
    others = max(0, options.events - options.slices * 309 // 100)
    while filler.slices < options.slices:
        filler.run(min(50, pairs), others // runs)
    if filler.seq < options.events:
        filler.run(1, options.events - filler.seq - 2)
    database.execute("COMMIT")
    filled, worked = time.monotonic(), time.process_time()
    for statement in TOTALS:
        database.execute(statement)
    for statement in rest:
        database.execute(statement)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    print(json.dumps({
        "slices": filler.slices, "events": filler.seq, "jobs": filler.jobs, "images": filler.instances,
        "runs": filler.runs, "fill_seconds": round(filled - began, 1),
        "events_per_second": round(filler.seq / (filled - began)),
        "events_per_processor_second": round(filler.seq / worked),
        "index_seconds": round(time.monotonic() - filled, 1),
    }))


if __name__ == "__main__":
    main(sys.argv[1:])
