"""Times the questions of `fuseline audit` over a ledger of any size, as a user asks them.

    ask_ledger.py PROGRAM [--ledger FILE] [--slices N] [--events N] [--keep]

Without --ledger it writes one with synthetic_ledger.py below the temporary folder and removes it after. Of several
times the least counts, in seconds of processor (user and system, start of the program included) and of the clock:
on a machine that has other things to do the first is what the question costs.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "../../../schema.sql")


def run(program, arguments):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def questions(ledger):
    database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    one = lambda sql: database.execute(sql).fetchone()
    middle = one("SELECT max(id) / 2 FROM slices")[0]
    output, job = one(f"SELECT sop_uid, job_id FROM outputs JOIN slices s ON s.id = slice_id WHERE s.id = {middle}")
    moving, series, study, patient = one(
        "SELECT i.sop_uid, se.uid, st.uid, p.patient_id FROM slice_inputs x JOIN instances i ON i.id = x.instance_id "
        "JOIN series se ON se.id = i.series_id JOIN studies st ON st.id = se.study_id "
        f"JOIN patients p ON p.id = i.patient_id WHERE x.slice_id = {middle} AND x.role = 'moving'")
    model = one("SELECT sha256 FROM models ORDER BY id DESC")[0][:12]
    older, newer = one("SELECT id, superseded_by FROM jobs WHERE superseded_by IS NOT NULL LIMIT 1")
    last = datetime.fromisoformat(one("SELECT time FROM events ORDER BY seq DESC LIMIT 1")[0].replace("Z", "+00:00"))
    day = (last - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    since = ["--since", day]
    return {
        "lineage of an output": ["lineage", output], "lineage of an input": ["lineage", moving],
        "lineage of a series": ["lineage", series], "lineage of a study": ["lineage", study],
        "jobs, the newest 1,000": ["jobs"], "jobs, failed": ["jobs", "--state", "failed"],
        "jobs since a day": ["jobs", *since], "jobs of a patient": ["jobs", "--patient", patient],
        "jobs of a study": ["jobs", "--study", study], "jobs of a model": ["jobs", "--model", model],
        "jobs of a modality that there is not": ["jobs", "--modality", "NM"],
        "jobs, the last page": ["jobs", "--offset", str(one("SELECT max(id) - 100 FROM jobs")[0])],
        "one job": ["job", str(job)], "failures, all": ["failures"], "failures since a day": ["failures", *since],
        "model": ["model", model, "--limit", "100"], "runs": ["runs"], "runs since a day": ["runs", *since],
        "outputs, the newest 1,000": ["outputs"], "outputs since a day": ["outputs", *since],
        "outputs of a study": ["outputs", "--study", study], "outputs of a model": ["outputs", "--model", model],
        "one slice": ["sql", f"SELECT * FROM v_slices WHERE sop = '{output}'"],
        "inputs, the newest 1,000": ["inputs"], "inputs since a day": ["inputs", *since],
        "inputs, rejected": ["inputs", "--state", "rejected"], "inputs of a study": ["inputs", "--study", study],
        "conflicts": ["conflicts"], "events, the newest 1,000": ["events"],
        "events of a kind": ["events", "--state", "job.failed"],
        "events of a study": ["events", "--study", study],
        "diff of two jobs": ["diff", str(older), str(newer)],
        "export of a study, JSON": ["export", "--format", "json", "--study", study],
        "export of a study, CSV": ["export", "--format", "csv", "--study", study],
    }


def ask(program, folder, ledger, times):
    with open(os.path.join(folder, "pipeline.yaml"), "w", encoding="utf-8") as file:
        file.write(f"ledger: {ledger}\n")
    where = ["-c", file.name]
    slowest = 0
    for name, words in questions(ledger).items():
        tries = [run(program, ["audit", *words, *where]) for _ in range(times)]
        assert tries[0][0].returncode == 0, tries[0][0].stderr.decode()
        wall, processor = min(t[1] for t in tries), min(t[2] for t in tries)
        slowest = max(slowest, processor)
        print(f"{processor * 1000:8.0f} ms of processor {wall * 1000:8.0f} ms  {name}", flush=True)
    print(f"{slowest * 1000:8.0f} ms of processor: the slowest")
    done, wall, processor = run(program, ["audit", "verify", "--no-files", "--json", *where])
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["whole"], report["first"]
    events = report["events"]
    print(f"verify: {events} events, {report['records']} records in {processor:.1f} s of processor "
          f"({events / processor:.0f} events/s), {wall:.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--ledger")
    parser.add_argument("--slices", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="fuseline-ledger-")
    try:
        ledger = options.ledger and os.path.abspath(options.ledger)
        if not ledger:
            ledger = os.path.join(folder, "fuseline.sqlite")
            subprocess.run([sys.executable, os.path.join(HERE, "synthetic_ledger.py"), SCHEMA, ledger,
                            "--slices", str(options.slices), "--events", str(options.events)], check=True)
        print(f"{os.path.getsize(ledger) / 1e9:.2f} GB", flush=True)
        ask(os.path.abspath(options.program), folder, ledger, options.times)
    finally:
        if options.keep:
            print(folder)
        else:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
