"""After a soak: is every image in the store once, and every output what an undisturbed run makes of the same images?"""

import hashlib
import io
import os
import pathlib
import sqlite3
import subprocess

import pydicom

from drops import digest

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


def taken(site):
    """The digests of images on record."""
    try:
        return {sha256 for sha256, in ask(site, "SELECT sha256 FROM instances")}
    except sqlite3.Error:
        return set()


def verdict(site, program, studies, history, configuration, calm):
    """What is wrong, and how many outputs were compared. `calm` is a folder for the undisturbed run."""
    findings = []
    verify = subprocess.run([program, "audit", "verify"], cwd=site, capture_output=True, text=True)
    if verify.returncode != 0:
        findings.append("audit verify: " + verify.stdout[-300:])
    if any(path.is_file() for path in (site / "inbox").rglob("*")):
        findings.append("files are left in the drop folder")
    stored = dict(ask(site, "SELECT sha256, count(*) FROM instances GROUP BY sha256"))
    lost = [(name, data) for files in studies for name, data in files if digest(data) not in stored]
    for name, data in lost:
        print("\n".join([f"{name} is not in the store:", *trace(site, name, data, history)]), flush=True)
    twice = [digest for digest, count in stored.items() if count > 1]
    if lost:
        findings.append(f"{len(lost)} images lost: {[name for name, _ in lost[:3]]}")
    if twice:
        findings.append(f"{len(twice)} images twice")
    wrong = ask(site, "SELECT id, state, reason FROM jobs WHERE state NOT IN ('done', 'superseded')")
    if wrong:
        findings.append(f"jobs not done: {wrong[:5]}")
    run_calmly(calm, program, studies, configuration)
    expected = outputs(calm)
    return findings + compare(site, expected), len(expected)


def trace(site, name, data, history):
    """Where an image that is not in the store was last seen: by its writer, by the ledger, and as bytes in any folder."""
    lines = ["  writer, " + line for line in history[name]]
    uid = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).SOPInstanceUID
    rows = ask(
        site,
        "SELECT time, outcome, reason, original_path, sha256, size, quarantine_path FROM intake "
        f"WHERE sha256 = '{digest(data)}' OR sop_uid = '{uid}' OR original_path LIKE '%{name}' ORDER BY id")
    lines += ["  ledger, " + " ".join(str(value) for value in row) for row in rows]
    for path in sorted(site.rglob("*")):
        if not path.is_file() or path.name.startswith("fuseline.") or path.name == "filler":
            continue
        found = path.read_bytes()
        if found == data:
            lines.append(f"  whole in {path.relative_to(site)}")
        elif len(found) > 4096 and (data.startswith(found) or data.endswith(found)):
            lines.append(f"  {len(found)} of its {len(data)} bytes in {path.relative_to(site)}")
        elif name in path.name:
            lines.append(f"  its name in {path.relative_to(site)}, {len(found)} bytes")
    return lines


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
