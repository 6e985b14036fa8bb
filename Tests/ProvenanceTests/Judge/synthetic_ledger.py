"""A ledger of any size, written from docs/ledger.md alone: chain and digests are computed here, not by the program.

    synthetic_ledger.py SCHEMA LEDGER [--slices N] [--events N] [--per-job N]

`audit verify` must accept what this writes. Everything follows from the arguments: no clock, no chance.
"""

import argparse
import hashlib
import json
import sys
import time
from datetime import datetime, timedelta, timezone

from ledger_format import SALT, TOTALS, Table, canonical, prepare, salted, sha, text
from synthetic_jobs import Jobs

LEDGER = "11111111-2222-4333-8444-555555555555"
LAST = datetime(2026, 1, 31, 6, 0, tzinfo=timezone.utc)
"""When the last event happened; the first one five years before."""
SPAN = timedelta(days=5 * 365)
SYNTAX = "1.2.840.10008.1.2.1"
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


class Filler(Jobs):
    TABLES = {
        "events": "seq, time, kind, subject, payload, prev_hash, hash",
        "patients": "id, patient_id, issuer, name, birth_date, sex",
        "studies": "id, uid, patient_id, date, time, description, arrivals, worked_off",
        "series": "id, uid, study_id, modality, number, description, frame_of_reference, last_arrival",
        "instances": "id, sop_uid, sop_class_uid, transfer_syntax, series_id, patient_id, number, path, "
        "original_path, sha256, size, header_id, header_json, run_id, received, event",
        "headers": "id, series_id, header_json",
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
        # What a series has in common, and what each image has of its own: 1,850 and 350 bytes in real ones.
        self.header = canonical({"note": "x" * max(0, header - 11)})
        self.own = canonical({"frames": "x" * max(0, header // 5 - 13)})
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
        add("INSERT INTO ledger VALUES (1, ?, ?, ?)", (LEDGER, self.now, SALT))
        self.event("ledger.created", f"ledger:{LEDGER}", '{"schema":0}')
        self.models = [("ct-mr", sha("model")), ("ct-mr-next", sha("the next model"))]
        for number, (name, digest) in enumerate(self.models, 1):
            add("INSERT INTO models VALUES (?, ?, ?, ?, 1000000, ?)", (number, name, digest, name, self.now))
            row = salted(number, name, digest, 1000000, self.now)
            self.event("model.registered", f"model:{digest}", canonical({"name": name, "parameters": 1000000, "row": row}))
        self.settings = "grid:\n  side: 256\n"
        add("INSERT INTO settings VALUES (1, ?, ?, ?)", (sha(self.settings), self.settings, self.now))
        digest = sha(self.settings)
        self.event("settings.registered", f"settings:{digest}", canonical({"row": salted(1, digest, self.settings, self.now)}))
        software = ("0.1.0", "none", "node1", "avx512")
        add("INSERT INTO software VALUES (1, ?, ?, ?, ?, ?)", (*software, self.now))
        self.event("software.registered", "software:0.1.0", canonical(
            {"blas": software[1], "host": software[2], "kernels": software[3], "row": salted(1, *software, self.now)}))

    # One run of some pairs and of files that come again

    def run(self, pairs, others):
        self.runs += 1
        self.tick()
        began = self.now
        row = salted(self.runs, "run", began, 1, 1)
        self.event("run.began", f"run:{self.runs}", f'{{"command":"run","row":"{row}"}}')
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
            row = (number, run, self.now, outcome, reason, sentence, f"in/{number}", digest, 130000, sop, None, None,
                   "MR", None, kept)
            event = self.event(
                f"file.{outcome}", f"instance:{sop}",
                f'{{{why}"run":{run},"seen":"{salted(*row)}","sha256":"{digest}"}}',
            )
            intake.append((*row, event))

    # One study of one patient: as many fixed as moving images

    def pair(self):
        self.tick()
        study = self.tables["studies"].rows
        number = self.series // 2 + 1
        uid = f"{ROOT}.{number}"
        patient = 2 * number - 1
        self.patient(patient, number, "19500101")
        if number % CONFLICT_EVERY == 0:
            self.patient(patient + 1, number, "19600101")
        about = ("20260130", "231500", "Head")
        study.append((number, uid, patient, *about, 2 * self.per_job, sha("rules")))
        self.event("study.recorded", f"study:{uid}", f'{{"row":"{salted(number, uid, patient, *about)}"}}')
        series = [self.one_series(number, uid, patient, *kind) for kind in [(1, "MR"), (2, "CT")]]
        self.tables["pairs"].rows.append((number, "CT-MR", self.series - 1, self.series, self.now))
        again = number % PAIR_OF_MODELS_EVERY == 0
        self.job(number, uid, series, 1, superseded=again)
        if again:
            self.job(number, uid, series, 2)

    def patient(self, row, number, born):
        who = (f"P{number}", None, "Invented^Person", born, "O")
        self.tables["patients"].rows.append((row, *who))
        self.event("patient.recorded", f"patient:{row}", f'{{"row":"{salted(row, *who)}"}}')

    def one_series(self, study, study_uid, patient, number, modality):
        self.series += 1
        uid = f"{study_uid}.{number}"
        row = (self.series, uid, study, modality, number, "invented", f"{study_uid}.9")
        self.tables["series"].rows.append((*row, self.now))
        self.event("series.recorded", f"series:{uid}", f'{{"row":"{salted(*row)}"}}')
        self.tables["headers"].rows.append((self.series, self.series, self.header))
        instances, intake = self.tables["instances"].rows, self.tables["intake"].rows
        members, run, now, kind = [], self.runs, self.now, f"1.2.840.10008.5.1.4.1.1.{4 if number == 1 else 2}"
        for index in range(self.per_job):
            self.instances += 1
            self.intakes += 1
            sop = f"{uid}.{index}"
            digest, path = sha(sop), f"{study_uid}/{uid}/{sop}.dcm"
            record = sha(
                f"{text(sop)}{text(kind)}{text(SYNTAX)}{text(uid)}{text(study_uid)}{text(modality)}i{index};"
                f"{text(path)}t64:{digest};i131072;{text(now)}{text(self.header)}{text(self.own)}\n"
            )
            came = f"in/{sop}"
            row = salted(self.instances, patient, came, run)
            intaken = (self.intakes, run, now, "accepted", None, None, came, digest, 131072, sop, None, None, None, None,
                       self.instances)
            event = self.event(
                "instance.accepted", f"instance:{sop}",
                f'{{"record":"{record}","row":"{row}","run":{run},"seen":"{salted(*intaken)}","series":"{uid}",'
                f'"sha256":"{digest}","size":131072}}',
            )
            instances.append(
                (self.instances, sop, kind, SYNTAX, self.series, patient, index, path, f"in/{sop}", digest, 131072,
                 self.series, self.own, run, now, event)
            )
            intake.append((*intaken, event))
            members.append((self.instances, sop, digest))
        return uid, members

def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("schema")
    parser.add_argument("ledger")
    parser.add_argument("--slices", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--per-job", type=int, default=100)
    parser.add_argument("--header", type=int, default=1850, help="bytes of an image's header; real ones have 1,850, a fifth its own")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with open(options.schema, encoding="utf-8") as schema:
        database, rest = prepare(options.ledger, schema.read())
    database.execute("BEGIN")
    filler = Filler(database, options.slices, options.events, options.per_job, options.header)
    pairs = max(1, options.slices // options.per_job)
    runs = max(1, pairs // 50)
    others = max(0, options.events - options.slices * 314 // 100)
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
