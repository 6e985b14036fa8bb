"""After a soak: is every image in the store once, and every output what an undisturbed run makes of the same images?"""

import hashlib
import os
import pathlib
import sqlite3
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ask(site, query):
    with sqlite3.connect(f"file:{site}/fuseline.sqlite?mode=ro", uri=True, timeout=60) as ledger:
        return ledger.execute(query).fetchall()


def outputs(site):
    found = {}
    for path in (site / "output").rglob("*"):
        if path.is_file():
            found[str(path.relative_to(site / "output"))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def verdict(site, program, studies, configuration, calm):
    """What is wrong, and how many outputs were compared. `calm` is a folder for the undisturbed run."""
    findings = []
    verify = subprocess.run([program, "audit", "verify"], cwd=site, capture_output=True, text=True)
    if verify.returncode != 0:
        findings.append("audit verify: " + verify.stdout[-300:])
    if any(path.is_file() for path in (site / "inbox").rglob("*")):
        findings.append("files are left in the drop folder")
    stored = dict(ask(site, "SELECT sha256, count(*) FROM instances GROUP BY sha256"))
    lost = [name for files in studies for name, data in files if hashlib.sha256(data).hexdigest() not in stored]
    twice = [digest for digest, count in stored.items() if count > 1]
    if lost:
        findings.append(f"{len(lost)} images lost: {lost[:3]}")
    if twice:
        findings.append(f"{len(twice)} images twice")
    wrong = ask(site, "SELECT id, state, reason FROM jobs WHERE state NOT IN ('done', 'superseded')")
    if wrong:
        findings.append(f"jobs not done: {wrong[:5]}")
    run_calmly(calm, program, studies, configuration)
    expected = outputs(calm)
    return findings + compare(site, expected), len(expected)


def run_calmly(calm, program, studies, configuration):
    (calm / "inbox").mkdir(parents=True)
    (calm / "pipeline.yaml").write_text(configuration)
    for files in studies:
        for name, data in files:
            (calm / "inbox" / name).write_bytes(data)
    environment = dict(os.environ, FUSELINE_MODELS=str(ROOT / "Models"))
    subprocess.run([program, "run"], cwd=calm, env=environment, stdout=subprocess.DEVNULL, check=False)


def compare(site, expected):
    found = outputs(site)
    current = {path for path, in ask(site, """
        SELECT o.path FROM outputs o JOIN slices s ON s.id = o.slice_id JOIN jobs j ON j.id = s.job_id
        WHERE j.state = 'done'""")}
    recorded = {path for path, in ask(site, "SELECT path FROM outputs")}
    findings = []
    if current != set(expected):
        findings.append(f"outputs differ: {len(set(expected) - current)} missing, {len(current - set(expected))} more")
    different = [path for path in expected if path in found and found[path] != expected[path]]
    if different:
        findings.append(f"{len(different)} outputs have other bytes")
    if set(found) != recorded:
        findings.append(f"{len(set(found) ^ recorded)} files and rows of outputs without each other")
    return findings
