"""Thousands of files dropped at once: how long the first scan and the intake take, and what the watcher costs when idle.

    python Tests/Soak/many_files.py [--files 10000] [--program .build/release/fuseline]

Prints one line a measurement, as docs/watching.md shows them.
"""

import argparse
import os
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import time

import pydicom

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = """
intake: {quiet_time: 5 s}
watch: {interval: 10 s, events: false}
schedule: {fuse: "0 0 1 1 *"}
metrics: {file: watch.prom}
"""


def make(folder, count):
    """Images of studies of 200, all different."""
    source = pydicom.dcmread(sorted((ROOT / "sample-studies/ct-mr/MR_AX_T2_TSE").iterdir())[0])
    for index in range(count):
        study = index // 200
        source.StudyInstanceUID = f"2.25.7000{study}"
        source.SeriesInstanceUID = f"2.25.8000{study}"
        source.SOPInstanceUID = f"2.25.9000{index}"
        source.file_meta.MediaStorageSOPInstanceUID = source.SOPInstanceUID
        source.PatientID = f"MANY{study}"
        source.InstanceNumber = index % 200 + 1
        source.ImagePositionPatient = [0, 0, 5.0 * (index % 200)]
        source.save_as(folder / f"{index:06}")


def metric(site, name):
    for line in (site / "watch.prom").read_text().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


def status(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    return None


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--program", default=str(ROOT / ".build/release/fuseline"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuseline-many-") as top:
        site = pathlib.Path(top)
        drop = site / "prepared"
        drop.mkdir()
        make(drop, arguments.files)
        (site / "pipeline.yaml").write_text(CONFIGURATION)
        environment = dict(os.environ, FUSELINE_MODELS=str(ROOT / "Models"))
        watcher = subprocess.Popen(
            [str(pathlib.Path(arguments.program).resolve()), "watch"], cwd=site, env=environment)
        while not (site / "inbox").exists() or not (site / "watch.prom").exists():
            time.sleep(0.2)
        time.sleep(2)
        begun = time.monotonic()
        drop.rename(site / "inbox" / "export")
        scans = metric(site, "fuseline_scans_total")
        longest, peak, taken = 0.0, 0, 0
        while taken < arguments.files and time.monotonic() - begun < 1800:
            time.sleep(0.5)
            with sqlite3.connect(f"file:{site}/fuseline.sqlite?mode=ro", uri=True, timeout=30) as ledger:
                taken = ledger.execute("SELECT count(*) FROM instances").fetchone()[0]
            if metric(site, "fuseline_inbox_files"):
                longest = max(longest, metric(site, "fuseline_scan_seconds") or 0)
        seconds = time.monotonic() - begun
        print(f"files                {arguments.files}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"scan with all files  {longest:.2f} s")
        print(f"taken in             {taken} after {seconds:.0f} s, {taken / seconds:.0f} a second")
        print(f"largest RSS          {status(watcher.pid, 'VmHWM')} MiB")
        time.sleep(15)
        before, since = cpu(watcher.pid), time.monotonic()
        time.sleep(60)
        share = 100 * (cpu(watcher.pid) - before) / (time.monotonic() - since)
        print(f"idle                 {share:.2f} % of a core, RSS {status(watcher.pid, 'VmRSS')} MiB")
        watcher.send_signal(signal.SIGTERM)
        print(f"SIGTERM              exit code {watcher.wait(60)}")


if __name__ == "__main__":
    main()
